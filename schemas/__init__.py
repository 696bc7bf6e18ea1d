"""Curated schemas and the loader that finds them as package data."""
