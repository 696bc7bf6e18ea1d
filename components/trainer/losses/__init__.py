"""Losses over all items or a sample of them."""
