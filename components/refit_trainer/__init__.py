"""RefitTrainer: trains the blessed configuration on all interactions."""
