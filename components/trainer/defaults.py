"""What nobody set, by rules that look at the data."""

from __future__ import annotations

import math

_STEPS_PER_EPOCH = 1000
_SMALLEST_BATCH, LARGEST_BATCH = 64, 512
_LEAST_EPOCHS, _MOST_EPOCHS, _LEAST_STEPS = 4, 8, 700


def batch_size_for(windows: int) -> int:
    """The power of two that makes an epoch of about a thousand steps, from 64 to 512.

    Few windows need many small steps to be learnt from; beyond 512 a step costs more than it brings.

    Args:
        windows: that there are to train on.
    """
    return min(max(2 ** round(math.log2(windows / _STEPS_PER_EPOCH)), _SMALLEST_BATCH), LARGEST_BATCH)


def epochs_for(steps: int) -> int:
    """Passes over the windows: four, and where that is less than about 700 steps so many more, up to eight.

    The learning rate falls to 0 over just these, which brings more than what further passes at a high rate add before
    Caser begins to know its users by heart.

    Args:
        steps: of one epoch.
    """
    return min(max(round(_LEAST_STEPS / steps), _LEAST_EPOCHS), _MOST_EPOCHS)
