"""Trainer: windows -> a trained, exported model."""
