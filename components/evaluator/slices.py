"""Parts of the evaluation: users by the length of their history, held-out items by popularity."""

from __future__ import annotations

import numpy as np

from components.features import FIRST_ID
from components.ranking.metrics import NO_RANK

HISTORY_LENGTH_SLICE, POPULARITY_SLICE = "history length", "popularity of the item"

# First history length of each slice.
_LENGTHS = (0, 6, 21, 51, 101)
# Share of the catalogue, most popular first, where each class ends.
_CLASSES = {"head (top 10 %)": 0.1, "middle (to 50 %)": 0.5, "tail (the rest)": 1.0}


def length_slices(history_length: np.ndarray) -> dict[str, np.ndarray]:
    """Users by the length of their history.

    Args:
        history_length: int [U].

    Returns:
        bool [U] by the name of the slice, such as "6 to 20".
    """
    ends = (*_LENGTHS[1:], None)
    return {
        f"{start} and more" if end is None else f"{start} to {end - 1}": (history_length >= start)
        & (history_length < (end or np.inf))
        for start, end in zip(_LENGTHS, ends, strict=True)
    }


def popularity_slices(ranks: np.ndarray, items: np.ndarray, n_items: int) -> dict[str, np.ndarray]:
    """Ranks of the held-out items of one class of popularity; ids are in the order of falling frequency.

    Args:
        ranks: int [U, H].
        items: int [U, H], ids that the ranks belong to. Items that the model cannot know are in the tail.
        n_items: size of the catalogue.

    Returns:
        int [U, H] by the name of the class: `ranks`, with NO_RANK for items of other classes.
    """
    position = np.where(items >= FIRST_ID, items - FIRST_ID, n_items - 1)
    found, start = {}, 0
    for name, share in _CLASSES.items():
        end = max(start + 1, int(np.ceil(n_items * share)))
        found[name] = np.where((position >= start) & (position < end), ranks, NO_RANK)
        start = end
    return found
