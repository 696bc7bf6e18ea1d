"""Reads JSON lines, one object per interaction, as Arrow columns."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from components.errors import UserError
from components.example_gen.readers.columns import PartitionValue, column_positions
from components.example_gen.readers.ids import number_as_text
from components.example_gen.readers.records import split_records, unix_lines
from components.example_gen.readers.row_checks import BadRowReasons, Fields, Interactions, check_rows
from components.example_gen.settings import DataSettings


def read_json_lines(
    chunks: Iterator[bytes], name: str, partitions: dict[str, str | None], data: DataSettings
) -> Iterator[Interactions]:
    """Reads one file of JSON lines, such as Amazon's reviews.

    Args:
        chunks: the content in UTF-8.
        name: file name, for messages.
        partitions: values of columns that are in directory names.
        data: columns (keys of the objects), filters.

    Yields:
        Batches in the order of the file.

    Raises:
        UserError: there is no object in the first megabytes, or none has a configured column.
    """
    columns: list[str | PartitionValue | None] | None = None
    for records in split_records(unix_lines(chunks), b"\0", False, None, first_line=1):
        lines = records.text.split(b"\n")[:-1]
        numbers = [index for index, line in enumerate(lines) if line.strip()]
        lines, rows = [lines[index] for index in numbers], records.line[numbers]
        objects = [_object(line) for line in lines]
        if columns is None:
            keys = list(dict.fromkeys(key for found in objects if isinstance(found, dict) for key in found))
            if lines and not keys:
                raise UserError(
                    f"{name}, row {rows[0]}: no line is a JSON object: {objects[0]}. "
                    "Hint: write one object per line: jq -c . FILE > FILE.jsonl"
                )
            if not lines:
                continue
            positions = column_positions(keys, partitions, data, name)
            columns = [keys[position] if isinstance(position, int) else position for position in positions]
        if lines:
            yield _interactions(objects, lines, rows, columns, name, data)


def _interactions(
    objects: list[dict[str, Any] | str],
    lines: list[bytes],
    rows: np.ndarray,
    columns: list[str | PartitionValue | None],
    name: str,
    data: DataSettings,
) -> Interactions:
    reasons = BadRowReasons(len(lines))
    reasons.add(np.array([isinstance(found, str) for found in objects]), lambda i: str(objects[i]))
    fields: list[list[str | None] | None] = [None if column is None else [] for column in columns]
    broken: dict[int, str] = {}
    for index, found in enumerate(objects):
        for column, values in zip(columns, fields, strict=True):
            if values is None:
                continue
            value = column.value if isinstance(column, PartitionValue) else None
            if isinstance(column, str) and isinstance(found, dict):
                try:
                    value = _text(found.get(column))
                except ValueError as error:
                    broken.setdefault(index, f"`{column}` is {error}")
            values.append(value)
    reasons.add(np.array([index in broken for index in range(len(lines))]), broken.__getitem__)
    readable = reasons.valid()
    chosen = pa.array(readable)
    bad = reasons.rows(rows, name, lines.__getitem__)
    kept = np.flatnonzero(readable)
    table = Fields(*(None if values is None else pa.array(values, pa.string()).filter(chosen) for values in fields))
    batch = check_rows(table, rows[readable], name, data, functools.partial(_raw, lines, kept))
    return batch._replace(rows_read=len(lines), bad=sorted(bad + batch.bad, key=lambda row: row.row))


def _raw(lines: list[bytes], kept: np.ndarray, index: int) -> bytes:
    return lines[kept[index]]


def _object(line: bytes) -> dict[str, Any] | str:
    """The object in a line, or why there is none."""
    try:
        found = json.loads(line)
    except UnicodeDecodeError:
        return "bytes that are not UTF-8"
    except json.JSONDecodeError as error:
        return f"not JSON: {error.msg} at character {error.pos + 1}"
    except (RecursionError, ValueError):
        return "not JSON that can be read: nested too deep, or a number with too many digits"
    return found if isinstance(found, dict) else f"a JSON {type(found).__name__} instead of an object"


def _text(value: object) -> str | None:
    """A value as text.

    Raises:
        ValueError: the value is a list or an object, or not Unicode; the message says what it is.
    """
    if value is None or isinstance(value, bool):
        return None if value is None else str(value).lower()
    if isinstance(value, int | float):
        return number_as_text(value)
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("no valid Unicode text (half of a surrogate pair)") from None
        return value
    raise ValueError("a list" if isinstance(value, list) else "an object")
