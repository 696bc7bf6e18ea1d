"""Slices of the evaluation: users by history length, held-out items by popularity."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from components.features import FIRST_ID, UNKNOWN
from components.ranking.metrics import NO_RANK

HISTORY_LENGTH_SLICE, POPULARITY_SLICE = "history length", "item popularity"

# First history length of each slice; before them, users without a history.
_LENGTHS, _NEW_USERS = (1, 6, 21, 51, 101), "0 (new users)"
# Fraction of the catalogue, most popular first, where each class ends; after them, items that are not in it.
_CLASSES, _NEW_ITEMS = {"head (top 10 %)": 0.1, "middle (to 50 %)": 0.5, "tail (the rest)": 1.0}, "new (not in train)"


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
    return {_NEW_USERS: history_length == 0} | {
        f"{start} and more" if end is None else f"{start} to {end - 1}": (history_length >= start)
        & (history_length < (end or np.inf))
        for start, end in zip(_LENGTHS, ends, strict=True)
    }


def popularity_slices(ranks: np.ndarray, items: np.ndarray, n_items: int) -> dict[str, np.ndarray]:
    """Slices held-out items by popularity; ids are sorted by descending frequency.

    Args:
        ranks: int [U, H].
        items: int [U, H], ids the ranks belong to; UNKNOWN for items that are not in the train split.
        n_items: number of items in the catalogue.

    Returns:
        int [U, H] by slice: `ranks`, with NO_RANK for items of other slices.
    """
    position = items - FIRST_ID
    slices, start = {}, 0
    for name, fraction in _CLASSES.items():
        end = max(start + 1, int(np.ceil(n_items * fraction)))
        slices[name] = np.where((position >= start) & (position < end), ranks, NO_RANK)
        start = end
    return slices | {_NEW_ITEMS: np.where(items == UNKNOWN, ranks, NO_RANK)}
