"""The built-in sample and its oracle ranking."""
