"""Submits a compiled pipeline to a cluster."""
