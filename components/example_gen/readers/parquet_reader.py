"""Reads Parquet as Arrow columns."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import IO

import numpy as np
import pyarrow as pa

from components.errors import UserError
from components.example_gen.readers.columns import PartitionValue, Position, column_positions
from components.example_gen.readers.ids import check_id_type, check_number_type, check_time_type
from components.example_gen.readers.parquet_decoder import (
    PICKLED_TYPE,
    NotParquetError,
    ParquetContent,
    PickledTypeError,
    open_parquet,
)
from components.example_gen.readers.row_checks import Fields, Interactions, check_rows
from components.example_gen.settings import DataSettings

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
        with open_parquet(stream) as content:
            yield from _batches(content, name, partitions, data)
    except PickledTypeError:
        raise UserError(
            f"{name}: a column has the type `{PICKLED_TYPE}`, which is pickled Python code. It was not loaded. "
            "Hint: find out who wrote this file; if you trust it, write it again without extension types."
        ) from None
    except (NotParquetError, pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(
            f"{name}: not a readable Parquet file ({reason}). "
            "Hint: write it again, or use --set data.format=csv if it is text."
        ) from None


def _batches(
    content: ParquetContent, name: str, partitions: dict[str, str | None], data: DataSettings
) -> Iterator[Interactions]:
    schema = content.schema
    positions = column_positions(schema.names, partitions, data, name)
    for position, check in zip(positions, _TYPE_CHECKS, strict=True):
        if isinstance(position, int):
            check(schema.field(position).type, schema.names[position], name)
    wanted = [schema.names[position] for position in positions if isinstance(position, int)]
    row = 1
    for batch in content.batches(wanted):
        columns = Fields(*(_column(batch, position, schema.names) for position in positions))
        rows = np.arange(row, row + batch.num_rows)
        yield check_rows(columns, rows, name, data, functools.partial(_raw_record, batch))
        row += batch.num_rows
    if row - 1 != content.rows:
        raise UserError(
            f"{name}: not a readable Parquet file: it should have {content.rows:,} rows, but has "
            f"{'more' if row - 1 > content.rows else f'{row - 1:,}'}. Hint: copy or write it again."
        )


def _column(batch: pa.RecordBatch, position: Position, names: list[str]) -> pa.Array | None:
    if isinstance(position, PartitionValue):
        return pa.array([position.value] * batch.num_rows, pa.string())
    return None if position is None else batch.column(batch.schema.get_field_index(names[position]))


def _raw_record(batch: pa.RecordBatch, index: int) -> bytes:
    return str({name: _value(batch.column(i)[index]) for i, name in enumerate(batch.schema.names)}).encode(
        "utf-8", "backslashreplace"
    )


def _value(scalar: pa.Scalar) -> object:
    try:
        return scalar.as_py()
    except (ValueError, OverflowError):  # a time beyond Python's calendar, or text that is not UTF-8
        return f"<{scalar.type}>"
