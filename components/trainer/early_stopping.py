"""Early stopping on a validation metric."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np


class EarlyStopping:
    """Stops training after `patience` epochs without improvement and restores the best weights."""

    def __init__(self, model: keras.Model, monitor: str, patience: int) -> None:
        """Watches one model.

        Args:
            model: the model in training.
            monitor: name of the metric; higher is better.
            patience: number of epochs without improvement after which training stops.
        """
        self._model, self._monitor, self._patience = model, monitor, patience
        self._best, self._best_epoch = -np.inf, 0
        self._best_weights: list[np.ndarray] | None = None

    def should_stop(self, epoch: int, metrics: Mapping[str, float]) -> bool:
        """Records an epoch.

        Args:
            epoch: number of the epoch, from 1.
            metrics: its validation metrics; empty without a valid split, which never stops training.
        """
        if not metrics:
            return False
        if metrics[self._monitor] > self._best:
            self._best, self._best_epoch = metrics[self._monitor], epoch
            self._best_weights = self._model.get_weights()
        return epoch - self._best_epoch >= self._patience

    def restore_best_weights(self) -> None:
        """Puts the weights of the best epoch back into the model; keeps the last ones without validation metrics."""
        if self._best_weights is not None:
            self._model.set_weights(self._best_weights)
