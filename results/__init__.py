"""From records to insight. Imports nothing else of the project: a study's folder is all that it needs."""
