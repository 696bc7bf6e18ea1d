"""What a run shows on screen."""
