"""The neighbourhood baseline."""
