"""Caser as a Keras model."""
