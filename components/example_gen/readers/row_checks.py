"""Separates the valid and bad rows of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.errors import printable
from components.example_gen.readers.ids import ids_as_text, plain_values
from components.example_gen.readers.quarantine import UNREADABLE_TIME, BadRow
from components.example_gen.readers.timestamps import parse_times
from components.example_gen.settings import DataSettings
from components.features import BLANKS


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


_SHOWN = 60

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
            BadRow(name, int(rows[i]), printable(reason), printable(raw(i).decode("utf-8", errors="backslashreplace")))
            for i, reason in sorted(self._reasons.items())
        ]


class Fields(NamedTuple):
    """The configured columns of some rows; None for columns that are not configured."""

    user: pa.Array
    item: pa.Array
    time: pa.Array | None
    rating: pa.Array | None
    event: pa.Array | None


def check_rows(columns: Fields, rows: np.ndarray, name: str, data: DataSettings, raw: RawOf) -> Interactions:
    """Checks IDs, times, ratings and events.

    Args:
        columns: the configured columns, [n] each, of types that `check_id_type` and `check_time_type` accept.
        rows: int [n], row numbers in the file.
        name: file name, for messages.
        data: columns and filters.
        raw: gives the text of a row by its index.

    Returns:
        The valid rows that pass the filters, and the bad rows.
    """
    reasons = BadRowReasons(len(rows))
    ids = [
        _checked_ids(column, setting, data, reasons)
        for column, setting in ((columns.user, data.user_column), (columns.item, data.item_column))
    ]
    time = np.zeros(len(rows), np.int64)
    if columns.time is not None:
        values = plain_values(columns.time)
        time, unreadable = parse_times(values, data.time_format)
        texts = values.filter(pa.array(unreadable))
        first = np.cumsum(unreadable) - 1
        reasons.add(unreadable, lambda i: f"{UNREADABLE_TIME} `{data.time_column}`: {_shown(texts[first[i]])}")
    keep = np.ones(len(rows), bool)
    if columns.rating is not None:
        rating, unreadable = _numbers(plain_values(columns.rating))
        reasons.add(unreadable, f"`{data.rating_column}` is not a number")
        keep &= ~(rating < data.min_rating)  # type: ignore[operator]
    if columns.event is not None:
        events, not_text = ids_as_text(columns.event)
        reasons.add(not_text, f"`{data.event_column}` is not UTF-8")
        keep &= np.asarray(pc.is_in(_trimmed(events), value_set=pa.array(data.events, pa.string())))
    good = reasons.valid()
    kept = pa.array(good & keep)
    return Interactions(
        user=ids[0].filter(kept).cast(pa.binary()),
        item=ids[1].filter(kept).cast(pa.binary()),
        time=time[good & keep],
        row=rows[good & keep],
        rows_read=len(rows),
        filtered=int((good & ~keep).sum()),
        bad=reasons.rows(rows, name, raw),
    )


def _checked_ids(column: pa.Array, setting: str, data: DataSettings, reasons: BadRowReasons) -> pa.Array:
    """Trimmed ids; adds the reasons of those that are blank or cannot be stored."""
    ids, not_text = ids_as_text(column)
    reasons.add(not_text, f"`{setting}` (type {plain_values(column).type}) has bytes that are not UTF-8")
    ids = _trimmed(ids)
    blank = np.asarray(pc.fill_null(pc.equal(pc.binary_length(ids), 0), True))
    if data.null_values:
        blank = blank | np.asarray(pc.is_in(ids, value_set=pa.array(data.null_values, pa.string())))
    reasons.add(blank, f"blank `{setting}`")
    # A vocabulary file has one id per line.
    for character, called in (("\n", "line break"), ("\r", "line break"), ("\0", "NUL byte")):
        if _occurs(ids, character):
            has_it = np.asarray(pc.fill_null(pc.match_substring(ids, character), False))
            reasons.add(has_it, f"{called} in `{setting}`")
    return ids


def _trimmed(ids: pa.Array) -> pa.Array:
    return pc.utf8_trim(ids, characters=BLANKS)


def _occurs(ids: pa.Array, character: str) -> bool:
    """Whether a character occurs in a column: faster than to look into each value."""
    values = ids.buffers()[2]
    return values is not None and bool((np.frombuffer(values, np.uint8) == ord(character)).any())


def _numbers(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Float [n], and bool [n], true where it is not a number."""
    if pa.types.is_binary(column.type):
        column = column.cast(pa.string())
    try:
        values = np.asarray(pc.fill_null(column.cast(pa.float64()), np.nan))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        values = np.array([_number(value) for value in column.to_pylist()])
    return values, ~np.isfinite(values)


def _shown(value: pa.Scalar) -> str:
    try:
        plain = value.as_py()
    except (ValueError, OverflowError):  # a time beyond Python's calendar
        return f"a {value.type} out of range"
    text = repr(plain.decode("utf-8", "backslashreplace") if isinstance(plain, bytes) else plain)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _number(value: object) -> float:
    if value is None or "_" in str(value):  # Python's numbers may have underscores
        return np.nan
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return np.nan
