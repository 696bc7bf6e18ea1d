"""Parses times to microseconds: numbers since 1970, ISO 8601, or a pattern."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.moments import from_iso_8601, to_micros
from components.example_gen.readers.ids import number_as_text

# Listed by messages.
UNDERSTOOD = (
    "numbers since 1970 (seconds, milliseconds, microseconds or nanoseconds), ISO 8601 with or without offset "
    "(2020-09-13T12:26:40.5+02:00, 2020-09-13 12:26:40 UTC), and dates (2020-09-13)"
)

_UNITS = {"seconds": 10**6, "milliseconds": 10**3, "microseconds": 1}  # microseconds per unit; nanoseconds are below
# Above the first, seconds would be beyond the year 5138, and milliseconds are from 1973 on; and so on by 1000.
_MILLISECONDS_FROM, _MICROSECONDS_FROM, _NANOSECONDS_FROM = 10**11, 10**14, 10**17
_LIMIT = 2**63
_ZERO_OFFSET = r" ?(UTC|GMT|utc|z)$"
_BELOW_MICROSECONDS = r"(\.\d{6})\d{1,3}"
# Tried on an unreadable time, for a hint. Day and month may be swapped: the hint says so.
_COMMON_PATTERNS = (
    *("%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y", "%d/%m/%Y"),
    *("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y", "%d-%m-%Y"),
    *("%m-%d-%Y", "%d-%m-%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%d %b %Y", "%b %d, %Y", "%m %d, %Y", "%Y%m%dT%H%M%S"),
    *(
        "%Y%m%dT%H%M%SZ",
        "%Y%m%d %H:%M:%S",
        "%a %b %d %H:%M:%S %z %Y",
        "%a, %d %b %Y %H:%M:%S %Z",
        "%d/%b/%Y:%H:%M:%S %z",
    ),
)


def parse_times(column: pa.Array, time_format: str) -> tuple[np.ndarray, np.ndarray]:
    """Parses a column of times.

    Args:
        column: numbers, timestamps, dates, or text (string or binary), [n].
        time_format: "auto", "seconds", "milliseconds", "microseconds", "nanoseconds", "iso8601" or a pattern of
            `datetime.strptime`. "auto" takes numbers by their size (seconds below 1e11, milliseconds below 1e14,
            microseconds below 1e17, else nanoseconds), and text as ISO 8601.

    Returns:
        int64 [n], microseconds since 1970 (UTC unless an offset is given), 0 where unreadable; and bool [n], true
        where unreadable.
    """
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _moments(column)
    if pa.types.is_integer(kind) and not pa.types.is_uint64(kind) and _is_number_format(time_format):
        return _from_integers(
            np.asarray(column.cast(pa.int64()).fill_null(0)), np.asarray(column.is_null()), time_format
        )
    if pa.types.is_null(kind):
        return np.zeros(len(column), np.int64), np.ones(len(column), bool)
    if pa.types.is_floating(kind) and _is_number_format(time_format):
        return _from_floats(np.asarray(column.cast(pa.float64()).fill_null(np.nan)), time_format)
    if not _is_text(kind):
        return _each(column, lambda value: _from_text(number_as_text(value) or "", time_format))
    try:
        text = pc.utf8_trim_whitespace(column.cast(pa.binary()).cast(pa.string()))
    except pa.ArrowInvalid:  # bytes that are not UTF-8
        return _each(column.cast(pa.binary()), lambda value: _from_text(value.decode("utf-8", "replace"), time_format))
    for parse in (_whole_numbers, _fractions, _iso_8601):
        if (parsed := parse(text, time_format)) is not None:
            return parsed
    return _each(text, lambda value: _from_text(value, time_format))


def is_pattern(time_format: str) -> bool:
    """Whether a format is a pattern of `datetime.strptime`."""
    return "%" in time_format


def pattern_hint(text: str) -> str | None:
    """A setting that reads a time which ISO 8601 does not; None if no common pattern does."""
    text = text.strip()
    fitting = [pattern for pattern in _COMMON_PATTERNS if _from_pattern(text, pattern) is not None]
    return fitting[0] if fitting else None


def _is_number_format(time_format: str) -> bool:
    return time_format == "auto" or time_format in _UNITS or time_format == "nanoseconds"


def _is_text(kind: pa.DataType) -> bool:
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(test(kind) for test in (*tests, pa.types.is_fixed_size_binary))


def _moments(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Timestamps and dates of Arrow."""
    zone = column.type.tz if pa.types.is_timestamp(column.type) else None
    missing = np.asarray(column.is_null())
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        return _from_integers(np.asarray(column.cast(pa.int64()).fill_null(0)), missing, "nanoseconds")
    try:
        micros = column.cast(pa.timestamp("us", zone)).cast(pa.int64())
    except pa.ArrowInvalid:  # seconds or milliseconds beyond the range of microseconds
        unit = {"s": "seconds", "ms": "milliseconds"}.get(getattr(column.type, "unit", ""), "seconds")
        whole = column.cast(pa.int64() if pa.types.is_timestamp(column.type) else pa.int32())
        return _each(whole, lambda value: _scaled(Decimal(value), unit))
    return np.asarray(micros.fill_null(0)), missing


def _from_integers(values: np.ndarray, missing: np.ndarray, time_format: str) -> tuple[np.ndarray, np.ndarray]:
    if time_format == "nanoseconds":
        return values // 1000, missing
    missing = missing | (values == -_LIMIT)  # has no absolute value in int64
    size = np.abs(values)
    if time_format == "auto":
        micros = np.where(size < _NANOSECONDS_FROM, values, values // 1000)
        micros = np.where(size < _MICROSECONDS_FROM, values * 1000, micros)
        micros = np.where(size < _MILLISECONDS_FROM, values * 10**6, micros)
        return np.where(missing, 0, micros), missing
    scale = _UNITS[time_format]
    unreadable = missing | (size > (_LIMIT - 1) // scale)
    return np.where(unreadable, 0, values) * scale, unreadable


def _from_floats(values: np.ndarray, time_format: str) -> tuple[np.ndarray, np.ndarray]:
    size = np.abs(values)
    if time_format == "auto":
        limits = (_MILLISECONDS_FROM, _MICROSECONDS_FROM, _NANOSECONDS_FROM)
        scale = np.select([size < limit for limit in limits], [1e6, 1e3, 1.0], 1e-3)
    else:
        scale = np.full(values.shape, _UNITS.get(time_format, 1e-3), float)
    micros = np.rint(values * scale)
    unreadable = ~(np.abs(micros) < float(_LIMIT))
    return np.where(unreadable, 0, micros).astype(np.int64), unreadable


def _whole_numbers(text: pa.Array, time_format: str) -> tuple[np.ndarray, np.ndarray] | None:
    """A column of whole numbers as text; None if it has anything else."""
    if not _is_number_format(time_format):
        return None
    try:
        # The first value spares the attempt on all others.
        text.slice(0, 1).cast(pa.int64())
        values = text.cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    return _from_integers(np.asarray(values.fill_null(0)), np.asarray(values.is_null()), time_format)


def _fractions(text: pa.Array, time_format: str) -> tuple[np.ndarray, np.ndarray] | None:
    """A column of numbers as text; None if it has anything else, or numbers that float64 does not hold exactly."""
    if not _is_number_format(time_format):
        return None
    try:
        text.slice(0, 1).cast(pa.float64())
        values = np.asarray(text.cast(pa.float64()).fill_null(np.nan))
    except pa.ArrowInvalid:
        return None
    whole = values == np.floor(values)
    if (np.abs(values[whole]) >= 2.0**53).any():
        return None
    integers = np.where(whole, values, 0).astype(np.int64)
    return tuple(  # type: ignore[return-value]
        np.where(whole, exact, rounded)
        for exact, rounded in zip(
            _from_integers(integers, ~whole, time_format), _from_floats(values, time_format), strict=True
        )
    )


def _iso_8601(text: pa.Array, time_format: str) -> tuple[np.ndarray, np.ndarray] | None:
    """A column where all values have an offset, or none has one; None for others."""
    if time_format not in ("auto", "iso8601"):
        return None
    text = pc.replace_substring_regex(text, pattern=_ZERO_OFFSET, replacement="Z")
    for shorten, zone in itertools.product((False, True), (None, "UTC")):
        if shorten:
            text = pc.replace_substring_regex(text, pattern=_BELOW_MICROSECONDS, replacement=r"\1")
        try:
            text.slice(0, 1).cast(pa.timestamp("us", zone))
            micros = text.cast(pa.timestamp("us", zone)).cast(pa.int64())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            continue
        return np.asarray(micros.fill_null(0)), np.asarray(text.is_null())
    return None


def _each(column: pa.Array, parse: Callable[..., int | None]) -> tuple[np.ndarray, np.ndarray]:
    """Parses each distinct value by itself."""
    encoded = column.dictionary_encode()
    values = [None if value is None else parse(value) for value in encoded.dictionary.to_pylist()]
    index = np.asarray(encoded.indices.fill_null(len(values)))
    unreadable = np.array([value is None for value in values] + [True], bool)[index]
    return np.array([value or 0 for value in values] + [0], np.int64)[index], unreadable


def _from_text(text: str, time_format: str) -> int | None:
    text = text.strip()
    if is_pattern(time_format):
        return _from_pattern(text, time_format)
    if _is_number_format(time_format) and (number := _decimal(text)) is not None:
        if number == number.to_integral_value():
            return _scaled(number, time_format)
        micros, unreadable = _from_floats(np.array([float(number)]), time_format)
        return None if unreadable[0] else int(micros[0])
    return from_iso_8601(text) if time_format in ("auto", "iso8601") else None


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text) if "_" not in text else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None


def _scaled(number: Decimal, unit: str) -> int | None:
    """Microseconds of a number; None beyond int64."""
    if number.adjusted() > 30:
        return None
    if unit == "auto":
        size = abs(number)
        unit = "nanoseconds"
        for name, limit in zip(_UNITS, (_MILLISECONDS_FROM, _MICROSECONDS_FROM, _NANOSECONDS_FROM), strict=True):
            if size < limit:
                unit = name
                break
    micros = number // 1000 if unit == "nanoseconds" else number * _UNITS[unit]
    micros = micros.to_integral_value()
    return int(micros) if abs(micros) < _LIMIT else None


def _from_pattern(text: str, pattern: str) -> int | None:
    try:
        moment = datetime.strptime(text, pattern)
    except ValueError:
        return None
    return to_micros(moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))
