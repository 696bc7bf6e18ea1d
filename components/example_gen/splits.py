"""Where a history is cut into train, valid and test."""

from __future__ import annotations

import numpy as np

from components.example_gen.settings import SplitSettings
from components.features import TEST

# What floating-point arithmetic may add to a share times a length.
_ROUNDING = 1e-9


def split_boundaries(lengths: np.ndarray, split: SplitSettings) -> tuple[np.ndarray, np.ndarray]:
    """Cuts histories: train is `[:first]`, valid `[first:second]`, test `[second:]`.

    `ratio`: the cumulative shares times the length, rounded up, as in the data processing of the paper's authors
    (train = the first ceil(0.8 n)). `leave_last`: the last item is for test, the one before for valid; a history of
    two items gives train and test, one of a single item train alone.

    Args:
        lengths: int [U], each at least 1.
        split: strategy and shares.

    Returns:
        first and second, int [U] each, with 1 <= first <= second <= length.
    """
    if split.strategy == "leave_last":
        return np.maximum(lengths - 2, 1), np.maximum(lengths - 1, 1)
    first = _rounded_up(lengths, split.train)
    second = lengths if not split.test else _rounded_up(lengths, split.train + split.valid)
    return first, np.maximum(first, second)


def holds_out_anything(length: int, split: SplitSettings) -> bool:
    """Whether a history of this length has a part in the split that the model is judged on."""
    first, second = split_boundaries(np.array([length]), split)
    return bool(length > (second if split.has(TEST) else first)[0])


def nothing_to_evaluate_on(split: SplitSettings) -> str:
    """The message for an input of which no history is long enough for the split that the model is judged on."""
    problem = f"No history is long enough to hold anything out for `{split.evaluated}`"
    if split.strategy == "leave_last":
        return f"{problem}. Remedy: give more data."
    shares = f"{split.train:g}, {split.valid:g} and {split.test:g}"
    return f"{problem} with the shares {shares}. Remedy: --set split.strategy=leave_last, or give more data."


def _rounded_up(lengths: np.ndarray, share: float) -> np.ndarray:
    return np.clip(np.ceil(lengths * share - _ROUNDING * lengths).astype(np.int64), 1, lengths)
