"""Reads Parquet as Arrow columns."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

# Without it pyarrow 10 (TFX 1.16) unpickles what a column's metadata calls `arrow.py_extension_type`: CVE-2023-47248.
import pyarrow_hotfix  # noqa: F401

from components.errors import UserError
from components.example_gen.readers.columns import PartitionValue, Position, column_positions
from components.example_gen.readers.ids import check_id_type, check_number_type, check_time_type
from components.example_gen.readers.row_checks import Fields, Interactions, check_rows
from components.example_gen.settings import DataSettings

_PARQUET_ROWS = 1 << 17
_PICKLED_TYPE = "arrow.py_extension_type"
# By column, in the order of `Fields`.
_TYPE_CHECKS = (check_id_type, check_id_type, check_time_type, check_number_type, check_id_type)


def read_parquet_file(
    stream: IO[bytes], name: str, partitions: dict[str, str | None], data: DataSettings
) -> Iterator[Interactions]:
    """Reads one Parquet file.

    Args:
        stream: the decompressed bytes, seekable.
        name: file name, for messages.
        partitions: values of columns that are in directory names.
        data: columns, filters.

    Yields:
        Batches in the order of the file.

    Raises:
        UserError: a configured column is missing, or its type is not understood or is pickled code.
    """
    try:
        yield from _batches(_open_parquet(stream, name), name, partitions, data)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(
            f"{name}: not a readable Parquet file ({reason}). "
            "Hint: write it again, or use --set data.format=csv if it is text."
        ) from None


def _batches(
    file: pq.ParquetFile, name: str, partitions: dict[str, str | None], data: DataSettings
) -> Iterator[Interactions]:
    schema = file.schema_arrow
    positions = column_positions(schema.names, partitions, data, name)
    for position, check in zip(positions, _TYPE_CHECKS, strict=True):
        if isinstance(position, int):
            check(schema.field(position).type, schema.names[position], name)
    wanted = [schema.names[position] for position in positions if isinstance(position, int)]
    row = 1
    for batch in file.iter_batches(_PARQUET_ROWS, columns=wanted):
        columns = Fields(*(_column(batch, position, schema.names) for position in positions))
        rows = np.arange(row, row + batch.num_rows)
        yield check_rows(columns, rows, name, data, functools.partial(_raw_record, batch))
        row += batch.num_rows
        # A damaged page may claim billions of rows.
        if row - 1 > file.metadata.num_rows:
            break
    if row - 1 != file.metadata.num_rows:
        raise UserError(
            f"{name}: not a readable Parquet file: it should have {file.metadata.num_rows:,} rows, but has "
            f"{'more' if row - 1 > file.metadata.num_rows else f'{row - 1:,}'}. Hint: copy or write it again."
        )


def _column(batch: pa.RecordBatch, position: Position, names: list[str]) -> pa.Array | None:
    if isinstance(position, PartitionValue):
        return pa.array([position.value] * batch.num_rows, pa.string())
    return None if position is None else batch.column(batch.schema.get_field_index(names[position]))


def _open_parquet(stream: IO[bytes], name: str) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(stream)
        types = {(field.metadata or {}).get(b"ARROW:extension:name", b"").decode() for field in file.schema_arrow}
    except RuntimeError as error:
        # Raised by pyarrow_hotfix. Its message quotes the pickled bytes, which are untrusted.
        if _PICKLED_TYPE not in str(error):
            raise
        types = {_PICKLED_TYPE}
    if _PICKLED_TYPE in types:
        raise UserError(
            f"{name}: a column has the type `{_PICKLED_TYPE}`, which is pickled Python code. It was not loaded. "
            "Hint: find out who wrote this file; if you trust it, write it again without extension types."
        )
    return file


def _raw_record(batch: pa.RecordBatch, index: int) -> bytes:
    return str({name: _value(batch.column(i)[index]) for i, name in enumerate(batch.schema.names)}).encode(
        "utf-8", "backslashreplace"
    )


def _value(scalar: pa.Scalar) -> object:
    try:
        return scalar.as_py()
    except (ValueError, OverflowError):  # a time beyond Python's calendar, or text that is not UTF-8
        return f"<{scalar.type}>"
