"""What ExampleGen counts on its way, for the user and the report."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, NamedTuple

# Side files that ExampleGen leaves at the root of its Examples artifact.
COUNTS_FILE = "counts.json"

_NO_FIRST, _NO_LAST = 2**63 - 1, -(2**63)


class Counts(NamedTuple):
    """Sums over parts of the input.

    Attributes:
        rows_read: good and bad.
        bad_rows: could not be read.
        filtered_rows: left out by rating or event.
        first_time: microseconds.
        last_time: microseconds.
        dropped: interactions that each rule of `HistorySettings` took away.
        users: that are left.
        interactions: that are left.
        items: distinct, that are left.
        split_users: users by split.
        split_items: train: interactions to learn from; valid and test: held-out ones.
    """

    rows_read: int = 0
    bad_rows: int = 0
    filtered_rows: int = 0
    first_time: int = _NO_FIRST
    last_time: int = _NO_LAST
    dropped: dict[str, int] = {}
    users: int = 0
    interactions: int = 0
    items: frozenset[bytes] = frozenset()
    split_users: dict[str, int] = {}
    split_items: dict[str, int] = {}


def add_counts(a: Counts, b: Counts) -> Counts:
    """The counts of both parts together."""
    return Counts(
        rows_read=a.rows_read + b.rows_read,
        bad_rows=a.bad_rows + b.bad_rows,
        filtered_rows=a.filtered_rows + b.filtered_rows,
        first_time=min(a.first_time, b.first_time),
        last_time=max(a.last_time, b.last_time),
        dropped=_sum(a.dropped, b.dropped),
        users=a.users + b.users,
        interactions=a.interactions + b.interactions,
        items=a.items | b.items,
        split_users=_sum(a.split_users, b.split_users),
        split_items=_sum(a.split_items, b.split_items),
    )


def counts_json(counts: Counts) -> dict[str, Any]:
    """As in `counts.json`: sets as their size, times as ISO 8601 (null where the data has none)."""
    has_time = counts.last_time > 0 and counts.first_time <= counts.last_time
    return {
        **counts._asdict(),
        "items": len(counts.items),
        "first_time": _iso(counts.first_time) if has_time else None,
        "last_time": _iso(counts.last_time) if has_time else None,
    }


def _sum(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    return {key: a.get(key, 0) + b.get(key, 0) for key in {**a, **b}}


def _iso(micros: int) -> str | None:
    try:
        return datetime.fromtimestamp(micros // 1_000_000, timezone.utc).isoformat()
    except (ValueError, OverflowError, OSError):
        return None  # beyond the calendar: made-up times that only give an order
