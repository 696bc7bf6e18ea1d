"""Configuration and results of TFX's Evaluator."""
