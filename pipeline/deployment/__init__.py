"""Deploys models to running TF Serving servers."""
