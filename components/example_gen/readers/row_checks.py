"""Separates the valid and bad rows of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.readers.quarantine import BadRow
from components.example_gen.readers.timestamps import parse_times
from components.example_gen.settings import DataSettings


class Interactions(NamedTuple):
    """One batch of a file.

    Attributes:
        user: binary [n].
        item: binary [n].
        time: int64 [n], microseconds; 0 without a time column.
        row: int64 [n], line of a text file or record of a Parquet file, from 1.
        rows_read: number of rows of the batch, valid or bad.
        filtered: number of rows filtered out by rating or event.
        bad: malformed rows.
    """

    user: pa.Array
    item: pa.Array
    time: np.ndarray
    row: np.ndarray
    rows_read: int
    filtered: int
    bad: list[BadRow]


RawOf = Callable[[int], bytes]


class BadRowReasons:
    """Collects why rows are bad; a row keeps its first reason."""

    def __init__(self, n: int) -> None:
        self._reasons: dict[int, str] = {}
        self._bad = np.zeros(n, bool)

    def add(self, bad: np.ndarray, reason: str | Callable[[int], str]) -> None:
        """Marks rows (bool [n])."""
        for i in np.flatnonzero(bad & ~self._bad):
            self._reasons[int(i)] = reason if isinstance(reason, str) else reason(int(i))
        self._bad |= bad

    def valid(self) -> np.ndarray:
        """Bool [n], true for rows without a reason."""
        return ~self._bad

    def rows(self, rows: np.ndarray, name: str, raw: RawOf) -> list[BadRow]:
        """The bad rows."""
        return [
            BadRow(name, int(rows[i]), reason, raw(i).decode("utf-8", errors="backslashreplace"))
            for i, reason in sorted(self._reasons.items())
        ]


class Fields(NamedTuple):
    """The configured columns of some rows; None for columns that are not configured."""

    user: pa.Array
    item: pa.Array
    time: pa.Array | None
    rating: pa.Array | None
    event: pa.Array | None

    def filter(self, keep: np.ndarray) -> Fields:
        """The rows where `keep` (bool [n]) is true."""
        mask = pa.array(keep)
        return Fields(*(None if column is None else column.filter(mask) for column in self))


def decode_dictionary(column: pa.Array) -> pa.Array:
    """The column without dictionary encoding."""
    return column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column


def as_ids(column: pa.Array) -> pa.Array:
    """IDs as bytes; whole numbers stored as floats (pandas does that for nulls) lose their `.0`."""
    column = decode_dictionary(column)
    if pa.types.is_floating(column.type) and pc.all(pc.equal(column, pc.floor(column))).as_py():
        column = column.cast(pa.int64())
    if not pa.types.is_binary(column.type) and not pa.types.is_large_binary(column.type):
        column = column.cast(pa.string())
    return column.cast(pa.binary())


def check_rows(columns: Fields, rows: np.ndarray, name: str, data: DataSettings, raw: RawOf) -> Interactions:
    """Checks IDs, times, ratings and events.

    Args:
        columns: the configured columns, [n] each.
        rows: int [n], row numbers in the file.
        name: file name, for messages.
        data: columns and filters.
        raw: gives the text of a row by its index.

    Returns:
        The valid rows that pass the filters, and the bad rows.
    """
    reasons = BadRowReasons(len(rows))
    for label, ids in ((data.user_column, columns.user), (data.item_column, columns.item)):
        reasons.add(_blank(ids), f"blank `{label}`")
        reasons.add(_breaks_line(ids), f"line break in `{label}`")
    time = np.zeros(len(rows), np.int64)
    if columns.time is not None:
        time, unreadable = parse_times(columns.time, data.time_format)
        reasons.add(unreadable, f"unreadable time in `{data.time_column}`")
    keep = np.ones(len(rows), bool)
    if columns.rating is not None:
        rating, unreadable = _numbers(columns.rating)
        reasons.add(unreadable, f"`{data.rating_column}` is not a number")
        keep &= ~(rating < data.min_rating)  # type: ignore[operator]
    if columns.event is not None:
        events = pa.array([event.encode() for event in data.events or []], pa.binary())
        keep &= np.asarray(pc.is_in(as_ids(columns.event), value_set=events))
    good = reasons.valid()
    kept = columns.filter(good & keep)
    return Interactions(
        user=kept.user,
        item=kept.item,
        time=time[good & keep],
        row=rows[good & keep],
        rows_read=len(rows),
        filtered=int((good & ~keep).sum()),
        bad=reasons.rows(rows, name, raw),
    )


def _blank(ids: pa.Array) -> np.ndarray:
    text = ids.cast(pa.string())
    return np.asarray(pc.fill_null(pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(text)), 0), True))


def _breaks_line(ids: pa.Array) -> np.ndarray:
    broken = pc.or_(pc.match_substring(ids, b"\n"), pc.match_substring(ids, b"\r"))
    return np.asarray(pc.fill_null(broken, False))


def _numbers(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Float [n], and bool [n], true where it is not a number."""
    if pa.types.is_binary(column.type):
        column = column.cast(pa.string())
    try:
        values = np.asarray(pc.fill_null(column.cast(pa.float64()), np.nan))
    except pa.ArrowInvalid:
        values = np.array([_number(value) for value in column.to_pylist()])
    return values, ~np.isfinite(values)


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return np.nan
