"""BaselineValidator: blesses a model that is not worse than simple baselines."""
