"""Checks a SavedModel before it is pushed."""
