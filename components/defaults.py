"""The batch size where nobody set one, by a rule that looks at the data."""

from __future__ import annotations

import math

_STEPS_PER_EPOCH = 1000
_SMALLEST_BATCH, LARGEST_BATCH = 64, 512


def batch_size_for(windows: int) -> int:
    """The power of two that makes an epoch of about a thousand steps, from 64 to 512.

    Few windows need many small steps to be learnt from; beyond 512 a step costs more than it brings.

    Args:
        windows: that there are to train on.
    """
    return min(max(2 ** round(math.log2(windows / _STEPS_PER_EPOCH)), _SMALLEST_BATCH), LARGEST_BATCH)
