"""Parses timestamps (seconds, milliseconds, ISO 8601) to microseconds."""

from __future__ import annotations

import math
from datetime import datetime, timezone
from typing import Literal

import numpy as np
import pyarrow as pa

TimeFormat = Literal["auto", "seconds", "milliseconds", "iso8601"]

# As seconds this is the year 5138, as milliseconds 1973.
_MILLISECONDS_FROM = 1e11
_PER_SECOND, _PER_MILLISECOND = 1_000_000, 1_000
_LIMIT = float(2**63)


def parse_times(column: pa.Array, time_format: TimeFormat) -> tuple[np.ndarray, np.ndarray]:
    """Parses a column of timestamps.

    Args:
        column: numbers, timestamps, dates, or text (string or binary), [n].
        time_format: "auto" means ISO 8601 unless numeric; numbers above 1e11 are milliseconds.

    Returns:
        int64 [n], microseconds since 1970 (UTC unless an offset is given), 0 where unparseable; and bool [n], true
        where unparseable.
    """
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        zone = column.type.tz if pa.types.is_timestamp(column.type) else None
        micros = column.cast(pa.timestamp("us", zone), safe=False).cast(pa.int64())
        return np.asarray(micros.fill_null(0)), np.asarray(column.is_null())
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        column = column.cast(pa.string())
    numeric = time_format != "iso8601"
    if numeric:
        try:
            return _from_numbers(np.asarray(column.cast(pa.float64()).fill_null(np.nan)), time_format)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            pass  # not all values are numbers
    if not numeric or time_format == "auto":
        for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC")):
            try:
                return np.asarray(column.cast(kind).cast(pa.int64()).fill_null(0)), np.asarray(column.is_null())
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                continue  # some values have an offset and some do not
    return _one_by_one(column, time_format)


def _from_numbers(values: np.ndarray, time_format: TimeFormat) -> tuple[np.ndarray, np.ndarray]:
    if time_format == "auto":
        scale = np.where(np.abs(values) > _MILLISECONDS_FROM, _PER_MILLISECOND, _PER_SECOND)
    else:
        scale = np.full(values.shape, _PER_MILLISECOND if time_format == "milliseconds" else _PER_SECOND)
    micros = np.rint(values * scale)
    unreadable = ~(np.abs(micros) < _LIMIT)
    return np.where(unreadable, 0, micros).astype(np.int64), unreadable


def _one_by_one(column: pa.Array, time_format: TimeFormat) -> tuple[np.ndarray, np.ndarray]:
    micros = [_micros(text, time_format) for text in column.to_pylist()]
    unreadable = np.array([value is None for value in micros], bool)
    return np.array([value or 0 for value in micros], np.int64), unreadable


def _micros(text: str | None, time_format: TimeFormat) -> int | None:
    text = str(text or "").strip()
    if time_format != "iso8601":
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        micros, unreadable = _from_numbers(np.array([value]), time_format)
        if not unreadable[0]:
            return int(micros[0])
    if time_format in ("auto", "iso8601"):
        try:
            # Python 3.10 does not parse the suffix Z.
            moment = datetime.fromisoformat(text.removesuffix("Z") + ("+00:00" if text.endswith("Z") else ""))
        except ValueError:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        elapsed = moment - datetime(1970, 1, 1, tzinfo=timezone.utc)
        return (elapsed.days * 86_400 + elapsed.seconds) * _PER_SECOND + elapsed.microseconds
    return None
