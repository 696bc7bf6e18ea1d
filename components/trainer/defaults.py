"""Default hyperparameters derived from the size of the data."""

from __future__ import annotations

import math

_STEPS_PER_EPOCH = 1000
_SMALLEST_BATCH, LARGEST_BATCH = 64, 512
_LEAST_EPOCHS, _MOST_EPOCHS, _LEAST_STEPS = 4, 8, 700


def batch_size_for(windows: int) -> int:
    """The power of two that gives about 1,000 steps per epoch, from 64 to 512.

    Small data needs many small steps; above 512, larger batches stop paying off.

    Args:
        windows: number of training windows.
    """
    return min(max(2 ** round(math.log2(windows / _STEPS_PER_EPOCH)), _SMALLEST_BATCH), LARGEST_BATCH)


def epochs_for(steps: int) -> int:
    """Number of epochs: 4, or up to 8 if 4 epochs are fewer than about 700 steps.

    The learning rate decays to 0 over these epochs, which works better than more epochs at a high learning rate: there
    Caser starts to overfit to its users.

    Args:
        steps: steps per epoch.
    """
    return min(max(round(_LEAST_STEPS / steps), _LEAST_EPOCHS), _MOST_EPOCHS)
