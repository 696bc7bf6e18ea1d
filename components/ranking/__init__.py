"""Ranks and ranking metrics, shared by training, export, evaluation and baselines."""
