"""Settings of the Trainer that nobody set, by rules that look at the data."""

from __future__ import annotations

import math
from typing import NamedTuple

from components.settings import TrainerSettings

_STEPS_PER_EPOCH = 1000
_SMALLEST_BATCH, LARGEST_BATCH = 64, 512
_RATE_AT_LARGEST_BATCH = 4e-3


class Pace(NamedTuple):
    """How large a step of training is: in windows, and at its highest learning rate."""

    batch_size: int
    learning_rate: float


def pace(settings: TrainerSettings, windows: int) -> Pace:
    """What is configured, and rules for what is not.

    * `batch_size`: the power of two that makes an epoch of about a thousand steps, from 64 to 512. Few windows need
      many small steps to be learnt from; beyond 512 a step costs more than it brings.
    * `learning_rate`: 0.004 at 512, and in proportion to the square root of the batch size: the noise of a gradient
      falls with that root, so a larger batch bears larger steps.

    Args:
        settings: as configured.
        windows: that there are to train on.

    Returns:
        The batch size, at most the number of windows, and the highest learning rate.
    """
    batch_size = settings.batch_size or _power_of_two(windows / _STEPS_PER_EPOCH)
    rate = settings.learning_rate or _RATE_AT_LARGEST_BATCH * math.sqrt(batch_size / LARGEST_BATCH)
    return Pace(min(batch_size, windows), rate)


def _power_of_two(wanted: float) -> int:
    """The nearest one by ratio, within the bounds."""
    return min(max(2 ** round(math.log2(max(wanted, 1))), _SMALLEST_BATCH), LARGEST_BATCH)
