"""CaserTuner: searches for hyperparameters with KerasTuner, before the Trainer."""
