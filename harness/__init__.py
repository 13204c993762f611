"""Runs experiments: studies, the search loops, records and their mirror in MLflow."""
