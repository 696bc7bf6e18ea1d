"""Boundaries of train, valid and test within a history."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from components.example_gen.moments import from_iso_8601, to_iso_8601
from components.example_gen.settings import SplitSettings
from components.features import TEST

# Tolerance for floating-point error in fraction * length.
_ROUNDING = 1e-9


class TimeRange(NamedTuple):
    """The times of the first and the last interaction of all users, microseconds."""

    first: int
    last: int


def split_boundaries(
    start: np.ndarray, time: np.ndarray, split: SplitSettings, range_: TimeRange
) -> tuple[np.ndarray, np.ndarray]:
    """Splits histories: train is `[:first]`, valid `[first:second]`, test `[second:]`.

    `ratio` rounds the cumulative fractions up, as in the code of the paper's authors. `leave_last` (leave-one-out)
    holds out the last item for test and the one before for valid; a history of two items has no valid item, a
    history of one item is for train only. `time` cuts all histories at the same two points in time; a history that
    begins after the first one has nothing in train. For histories of 10, 2 and 1 items:

        strategy                         lengths      first        second
        ratio, 0.7 / 0.1 / 0.2           [10, 2, 1]   [7, 2, 1]    [8, 2, 1]
        leave_last                       [10, 2, 1]   [8, 1, 1]    [9, 1, 1]

    Args:
        start: int [U + 1]; history u is `time[start[u]:start[u + 1]]`, with at least one interaction.
        time: int64 [n], microseconds, ascending in each history; used by `time` only.
        split: strategy, fractions and starts.
        range_: time range of all users; used by `time` only.

    Returns:
        first and second, int [U] each, with 0 <= first <= second <= length; first is 0 by `time` only.
    """
    lengths = np.diff(start)
    if split.strategy == "time":
        valid_from, test_from = starts_of(split, range_)
        second = _earlier(start, time, test_from) if split.has(TEST) else lengths
        return np.minimum(_earlier(start, time, valid_from), second), second
    if split.strategy == "leave_last":
        return np.maximum(lengths - 2, 1), np.maximum(lengths - 1, 1)
    first = _rounded_up(lengths, split.train)
    second = lengths if not split.test else _rounded_up(lengths, split.train + split.valid)
    return first, np.maximum(first, second)


def starts_of(split: SplitSettings, range_: TimeRange) -> tuple[int, int]:
    """When valid and test begin, microseconds.

    Args:
        split: dates, or fractions of the time range.
        range_: time range of all users.
    """
    return _moment(split.valid_from, range_), _moment(split.test_from, range_)


def holds_out_anything(length: int, split: SplitSettings) -> bool:
    """Whether a history of this length has held-out items in the evaluated split; `ratio` and `leave_last` only."""
    first, second = split_boundaries(np.array([0, length]), np.zeros(0, np.int64), split, TimeRange(0, 0))
    return bool(length > (second if split.has(TEST) else first)[0])


def nothing_to_evaluate_on(split: SplitSettings, range_: TimeRange) -> str:
    """The error message if no history has held-out items in the evaluated split."""
    if split.strategy == "time":
        return (
            f"No user has an interaction in the `{split.evaluated}` split, {_described(split, range_)}. "
            f"Hint: set an earlier `split.{split.evaluated}_from`."
        )
    problem = f"No history is long enough for a `{split.evaluated}` split"
    if split.strategy == "leave_last":
        return f"{problem}. Hint: provide more data."
    fractions = f"{split.train:g}, {split.valid:g} and {split.test:g}"
    return f"{problem} with the fractions {fractions}. Hint: --set split.strategy=leave_last, or provide more data."


def nothing_to_train_on(split: SplitSettings, range_: TimeRange) -> str:
    """The error message if no history has an interaction in the train split; by `time` only."""
    return (
        f"No user has an interaction in the train split, {_described(split, range_)}. "
        "Hint: set a later `split.valid_from`."
    )


def _described(split: SplitSettings, range_: TimeRange) -> str:
    starts = "valid from {} and test from {}".format(*(_text(start) for start in starts_of(split, range_)))
    return f"with {starts}, where interactions are from {_text(range_.first)} to {_text(range_.last)}"


def _text(micros: int) -> str:
    return to_iso_8601(micros) or str(micros)


def _moment(start: float | str, range_: TimeRange) -> int:
    if isinstance(start, str):
        return from_iso_8601(start) or 0
    # In integers: microseconds of today need more digits than a float has.
    return range_.first + round((range_.last - range_.first) * start)


def _earlier(start: np.ndarray, time: np.ndarray, moment: int) -> np.ndarray:
    """The number of interactions before a moment, int [U]."""
    before = np.concatenate([[0], np.cumsum(time < moment)])
    return before[start[1:]] - before[start[:-1]]


def _rounded_up(lengths: np.ndarray, fraction: float) -> np.ndarray:
    return np.clip(np.ceil(lengths * fraction - _ROUNDING * lengths).astype(np.int64), 1, lengths)
