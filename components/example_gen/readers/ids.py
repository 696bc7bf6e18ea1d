"""Ids as text: one rule for each type of column, the same in every file format."""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from components.errors import UserError

# Whole numbers up to here are exact in float64 and fit int64.
_EXACT = 2.0**53
# Ids that stand for a missing value in many exports; counted, since they become one user or item.
NULL_WORDS = (
    *("NULL", "null", "Null", "None", "none", "NONE", "NaN", "nan", "NAN", "NA", "N/A", "n/a", "#N/A", "<NA>", "\\N"),
    *("nil", "undefined", "(null)", "<null>", "(not set)", "NaT", "-", "unknown", "UNKNOWN"),
)

_TEXT = (
    *(pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary),
    pa.types.is_fixed_size_binary,
)
_NUMBERS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
_TIMES = (pa.types.is_timestamp, pa.types.is_date)


def check_id_type(kind: pa.DataType, column: str, name: str) -> None:
    """Refuses types that have no text.

    Args:
        kind: type of the column.
        column: name of the column, for the message.
        name: file name, for the message.

    Raises:
        UserError: a list, struct, map, duration or another type that is no id.
    """
    check_type(kind, (*_TEXT, *_NUMBERS, *_TIMES, pa.types.is_boolean, pa.types.is_null), "an id", column, name)


def check_number_type(kind: pa.DataType, column: str, name: str) -> None:
    """As `check_id_type`, for numbers and text of numbers."""
    check_type(kind, (*_TEXT, *_NUMBERS, pa.types.is_boolean, pa.types.is_null), "a number", column, name)


def check_time_type(kind: pa.DataType, column: str, name: str) -> None:
    """As `check_id_type`, for times."""
    check_type(kind, (*_TEXT, *_NUMBERS, *_TIMES, pa.types.is_null), "a time", column, name)


def check_type(kind: pa.DataType, allowed: tuple[Callable[..., bool], ...], what: str, column: str, name: str) -> None:
    """Refuses a column's type.

    Args:
        kind: type of the column.
        allowed: tests of which one should be true.
        what: what the column should hold, for the message.
        column: name of the column, for the message.
        name: file name, for the message.

    Raises:
        UserError: no test is true.
    """
    kind = plain_type(kind)
    if not any(test(kind) for test in allowed):
        raise UserError(
            f"{name}: column `{column}` has the type {kind}, which cannot be {what}. "
            "Hint: write the file again with text or numbers in this column."
        )


def ids_as_text(values: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """The ids of a column whose type passed `check_id_type`.

    Whole numbers lose what only their type adds: 12, 12.0 and Decimal("12.00") are all "12". NaN is null. Text stays as
    it is.

    Args:
        values: [n].

    Returns:
        string [n], null where there is no id; and bool [n], true where bytes are not UTF-8 (null there).
    """
    values = plain_values(values)
    kind, no_errors = values.type, np.zeros(len(values), bool)
    if pa.types.is_floating(kind):
        return _floats(values), no_errors
    if pa.types.is_decimal(kind):
        return pa.array([number_as_text(value) for value in values.to_pylist()], pa.string()), no_errors
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or _is_bytes(kind)):
        return values.cast(pa.string()), no_errors
    try:
        values = values.cast(pa.binary()).cast(pa.string())  # checks that it is UTF-8
        return values, no_errors
    except pa.ArrowInvalid:
        texts = [_decoded(value) for value in values.cast(pa.binary()).to_pylist()]
        broken = np.array([isinstance(text, bytes) for text in texts], bool)
        return pa.array([None if isinstance(text, bytes) else text for text in texts], pa.string()), broken


def number_as_text(value: float | decimal.Decimal | None) -> str | None:
    """A number, without a fraction of zero; None for NaN."""
    if value is None or isinstance(value, int):
        return None if value is None else str(value)
    if math.isnan(value):
        return None
    return str(int(value)) if math.isfinite(value) and value == int(value) else str(value)


def plain_type(kind: pa.DataType) -> pa.DataType:
    """A type without dictionary encoding and extensions."""
    while isinstance(kind, pa.DictionaryType | pa.BaseExtensionType):
        kind = kind.value_type if isinstance(kind, pa.DictionaryType) else kind.storage_type
    return kind


def plain_values(values: pa.Array) -> pa.Array:
    """A column without dictionary encoding and extensions."""
    while isinstance(values, pa.DictionaryArray | pa.ExtensionArray):
        values = values.dictionary_decode() if isinstance(values, pa.DictionaryArray) else values.storage
    return values


def _is_bytes(kind: pa.DataType) -> bool:
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)


def _floats(values: pa.Array) -> pa.Array:
    numbers = np.asarray(values.cast(pa.float64()).fill_null(np.nan))
    missing = np.isnan(numbers)
    if (missing | ((numbers == np.floor(numbers)) & (np.abs(numbers) < _EXACT))).all():
        whole = pa.array(np.where(missing, 0, numbers).astype(np.int64), mask=missing)
        return whole.cast(pa.string())
    return pa.array([number_as_text(value) for value in values.to_pylist()], pa.string())


def _decoded(value: bytes | None) -> str | bytes | None:
    try:
        return None if value is None else value.decode("utf-8")
    except UnicodeDecodeError:
        return value
