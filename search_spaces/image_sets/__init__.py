"""Where each set of images comes from, a module a set. Nothing is downloaded."""
