"""Slices of the evaluation: users by history length, held-out items by popularity."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from components.features import FIRST_ID
from components.ranking.metrics import NO_RANK

HISTORY_LENGTH_SLICE, POPULARITY_SLICE = "history length", "item popularity"

# First history length of each slice.
_LENGTHS = (0, 6, 21, 51, 101)
# Fraction of the catalogue, most popular first, where each class ends.
_CLASSES = {"head (top 10 %)": 0.1, "middle (to 50 %)": 0.5, "tail (the rest)": 1.0}


class SliceMetrics(NamedTuple):
    """Metrics of one slice: kind of slice, its value, and by each of `PARTS` the metrics by name."""

    name: str
    value: str
    parts: dict[str, dict[str, float]]


def length_slices(history_length: np.ndarray) -> dict[str, np.ndarray]:
    """Slices users by history length.

    Args:
        history_length: int [U].

    Returns:
        bool [U] by slice, such as "6 to 20".
    """
    ends = (*_LENGTHS[1:], None)
    return {
        f"{start} and more" if end is None else f"{start} to {end - 1}": (history_length >= start)
        & (history_length < (end or np.inf))
        for start, end in zip(_LENGTHS, ends, strict=True)
    }


def popularity_slices(ranks: np.ndarray, items: np.ndarray, n_items: int) -> dict[str, np.ndarray]:
    """Slices held-out items by popularity; ids are sorted by descending frequency.

    Args:
        ranks: int [U, H].
        items: int [U, H], ids the ranks belong to; unknown items are in the tail.
        n_items: number of items in the catalogue.

    Returns:
        int [U, H] by slice: `ranks`, with NO_RANK for items of other slices.
    """
    position = np.where(items >= FIRST_ID, items - FIRST_ID, n_items - 1)
    slices, start = {}, 0
    for name, fraction in _CLASSES.items():
        end = max(start + 1, int(np.ceil(n_items * fraction)))
        slices[name] = np.where((position >= start) & (position < end), ranks, NO_RANK)
        start = end
    return slices
