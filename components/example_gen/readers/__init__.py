"""Reads interaction files as Arrow batches."""
