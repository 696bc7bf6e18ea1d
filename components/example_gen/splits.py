"""Boundaries of train, valid and test within a history."""

from __future__ import annotations

import numpy as np

from components.example_gen.settings import SplitSettings
from components.features import TEST

# Tolerance for floating-point error in fraction * length.
_ROUNDING = 1e-9


def split_boundaries(lengths: np.ndarray, split: SplitSettings) -> tuple[np.ndarray, np.ndarray]:
    """Splits histories: train is `[:first]`, valid `[first:second]`, test `[second:]`.

    `ratio` rounds the cumulative fractions up, as in the code of the paper's authors. `leave_last` (leave-one-out)
    holds out the last item for test and the one before for valid; a history of two items has no valid item, a
    history of one item is for train only. For histories of 10, 2 and 1 items:

        strategy                         lengths      first        second
        ratio, 0.7 / 0.1 / 0.2           [10, 2, 1]   [7, 2, 1]    [8, 2, 1]
        leave_last                       [10, 2, 1]   [8, 1, 1]    [9, 1, 1]

    Args:
        lengths: int [U], each at least 1.
        split: strategy and fractions.

    Returns:
        first and second, int [U] each, with 1 <= first <= second <= length.
    """
    if split.strategy == "leave_last":
        return np.maximum(lengths - 2, 1), np.maximum(lengths - 1, 1)
    first = _rounded_up(lengths, split.train)
    second = lengths if not split.test else _rounded_up(lengths, split.train + split.valid)
    return first, np.maximum(first, second)


def holds_out_anything(length: int, split: SplitSettings) -> bool:
    """Whether a history of this length has held-out items in the evaluated split."""
    first, second = split_boundaries(np.array([length]), split)
    return bool(length > (second if split.has(TEST) else first)[0])


def nothing_to_evaluate_on(split: SplitSettings) -> str:
    """The error message if no history is long enough for the evaluated split."""
    problem = f"No history is long enough for a `{split.evaluated}` split"
    if split.strategy == "leave_last":
        return f"{problem}. Hint: provide more data."
    fractions = f"{split.train:g}, {split.valid:g} and {split.test:g}"
    return f"{problem} with the fractions {fractions}. Hint: --set split.strategy=leave_last, or provide more data."


def _rounded_up(lengths: np.ndarray, fraction: float) -> np.ndarray:
    return np.clip(np.ceil(lengths * fraction - _ROUNDING * lengths).astype(np.int64), 1, lengths)
