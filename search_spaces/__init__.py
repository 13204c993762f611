"""What can be searched, and what is known about it."""
