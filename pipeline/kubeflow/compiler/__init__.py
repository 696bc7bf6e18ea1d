"""The compiled pipeline file."""
