"""Row, user and item counts collected by ExampleGen."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, NamedTuple

from components.example_gen.moments import to_iso_8601

# Written to the root of the Examples artifact.
COUNTS_FILE = "counts.json"

_NO_FIRST, _NO_LAST = 2**63 - 1, -(2**63)


class Counts(NamedTuple):
    """Counts of a part of the input; they add up.

    Attributes:
        rows_read: all rows, valid or bad.
        bad_rows: malformed rows.
        filtered_rows: rows filtered out by rating or event.
        excluded_rows: rows of users in `data.exclude_users`.
        rows_outside_time: rows before or after the time range of `data.since`, `data.until` and `data.last`.
        null_words: rows by column and id, for ids that stand for a missing value in many exports, such as NULL.
        ties: interactions at the same time as the user's previous or next one; 0 without a time column.
        first_time: earliest timestamp, microseconds.
        last_time: latest timestamp, microseconds.
        dropped: interactions dropped by each rule of `HistorySettings`.
        users: remaining users.
        interactions: remaining interactions.
        items: distinct remaining items.
        train_items: distinct items of the train split.
        new_users: users without an interaction in the train split.
        split_users: users by split.
        split_items: interactions by split; in valid and test the held-out ones.
    """

    rows_read: int = 0
    bad_rows: int = 0
    filtered_rows: int = 0
    excluded_rows: int = 0
    rows_outside_time: int = 0
    null_words: dict[str, int] = {}
    ties: int = 0
    first_time: int = _NO_FIRST
    last_time: int = _NO_LAST
    dropped: dict[str, int] = {}
    users: int = 0
    interactions: int = 0
    items: frozenset[bytes] = frozenset()
    train_items: frozenset[bytes] = frozenset()
    new_users: int = 0
    split_users: dict[str, int] = {}
    split_items: dict[str, int] = {}


def add_counts(a: Counts, b: Counts) -> Counts:
    """Adds the counts of two parts."""
    return Counts(
        rows_read=a.rows_read + b.rows_read,
        bad_rows=a.bad_rows + b.bad_rows,
        filtered_rows=a.filtered_rows + b.filtered_rows,
        excluded_rows=a.excluded_rows + b.excluded_rows,
        rows_outside_time=a.rows_outside_time + b.rows_outside_time,
        null_words=_sum(a.null_words, b.null_words),
        ties=a.ties + b.ties,
        first_time=min(a.first_time, b.first_time),
        last_time=max(a.last_time, b.last_time),
        dropped=_sum(a.dropped, b.dropped),
        users=a.users + b.users,
        interactions=a.interactions + b.interactions,
        items=a.items | b.items,
        train_items=a.train_items | b.train_items,
        new_users=a.new_users + b.new_users,
        split_users=_sum(a.split_users, b.split_users),
        split_items=_sum(a.split_items, b.split_items),
    )


def sum_counts(parts: Iterable[Counts]) -> Counts:
    """Adds the counts of all parts."""
    return functools.reduce(add_counts, parts, Counts())


def counts_json(counts: Counts) -> dict[str, Any]:
    """The content of `counts.json`: sets as sizes, times as ISO 8601 (null without timestamps)."""
    has_time = counts.last_time > 0 and counts.first_time <= counts.last_time
    values = counts._asdict()
    train_items = values.pop("train_items")
    return {
        **values,
        "items": len(counts.items),
        "new_items": len(counts.items - train_items),
        "first_time": to_iso_8601(counts.first_time) if has_time else None,
        "last_time": to_iso_8601(counts.last_time) if has_time else None,
    }


def _sum(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    return {key: a.get(key, 0) + b.get(key, 0) for key in {**a, **b}}
