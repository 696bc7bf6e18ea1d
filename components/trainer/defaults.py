"""Default hyperparameters derived from the data.

Histories are short if they give fewer than 40 windows per user on average, as in shops; else they are long, as on
MovieLens. With short histories items are rare and patterns are pairs of items: Caser needs `model.normalize`, a high
`model.user_dropout`, an identity activation and more epochs, and one target per window if items are rare (fewer than 20
windows per item) or if one item per user is held out. With long ones the opposite is better. From 20 to 100 windows per
user the difference is small, and a trial decides (`components.trainer.trial`).
"""

from __future__ import annotations

import math

_SHORT, _CLEARLY_SHORT, _CLEARLY_LONG = 40, 20, 100
# Windows per item below which patterns other than that of the next item are too rare to be learned.
_RARE = 20
_STEPS_PER_EPOCH, _STEPS_PER_EPOCH_OF_SHORT_HISTORIES = 1000, 500
_SMALLEST_BATCH, LARGEST_BATCH = 64, 512
_LEAST_EPOCHS, _MOST_EPOCHS, _LEAST_STEPS = 4, 8, 700
_EPOCHS_OF_SHORT_HISTORIES = 6
_RATE, _RATE_OF_SHORT_HISTORIES = 0.004, 0.006


def are_short(windows: int, users: int) -> bool:
    """Whether histories are short.

    Args:
        windows: number of training windows.
        users: number of users with windows.
    """
    return windows < _SHORT * users


def is_unclear(windows: int, users: int) -> bool:
    """Whether the length of histories does not tell which defaults are better.

    Args:
        windows: number of training windows.
        users: number of users with windows.
    """
    return _CLEARLY_SHORT * users <= windows < _CLEARLY_LONG * users


def is_next_item_enough(windows: int, n_items: int, held_out: float | None) -> bool:
    """Whether one target per window is better than several with short histories.

    Args:
        windows: number of training windows.
        n_items: number of items in the catalogue.
        held_out: mean number of held-out items per user of the valid split; None without one.
    """
    return windows < _RARE * n_items or (held_out is not None and held_out <= 1)


def batch_size_for(windows: int, short_histories: bool = False) -> int:
    """The power of two that gives about 1,000 steps per epoch, or 500 with short histories; from 64 to 512.

    Small data needs many small steps; above 512, larger batches stop paying off.

    Args:
        windows: number of training windows.
        short_histories: see `are_short`.
    """
    steps = _STEPS_PER_EPOCH_OF_SHORT_HISTORIES if short_histories else _STEPS_PER_EPOCH
    return min(max(2 ** round(math.log2(windows / steps)), _SMALLEST_BATCH), LARGEST_BATCH)


def learning_rate_for(short_histories: bool) -> float:
    """Peak learning rate: 0.006 with short histories, where batches are larger; else 0.004.

    Args:
        short_histories: see `are_short`.
    """
    return _RATE_OF_SHORT_HISTORIES if short_histories else _RATE


def epochs_for(steps: int, short_histories: bool = False) -> int:
    """Number of epochs: 4, or 6 with short histories; up to 8 if these are fewer than about 700 steps.

    The learning rate decays to 0 over these epochs, which works better than more epochs at a high learning rate: there
    Caser starts to overfit to its users.

    Args:
        steps: steps per epoch.
        short_histories: see `are_short`.
    """
    least = _EPOCHS_OF_SHORT_HISTORIES if short_histories else _LEAST_EPOCHS
    return min(max(round(_LEAST_STEPS / steps), least), _MOST_EPOCHS)
