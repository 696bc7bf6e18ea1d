"""What each TFX node does."""
