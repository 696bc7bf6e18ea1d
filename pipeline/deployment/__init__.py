"""Brings models to TF Serving, and labels from one version to another."""
