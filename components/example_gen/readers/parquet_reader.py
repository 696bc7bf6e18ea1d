"""Reads Parquet as Arrow columns."""

from __future__ import annotations

import functools
import gzip
import io
from collections.abc import Iterator
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

# Without it pyarrow 10 (TFX 1.16) unpickles what a column's metadata calls `arrow.py_extension_type`: CVE-2023-47248.
import pyarrow_hotfix  # noqa: F401

from components.errors import UserError
from components.example_gen.readers.columns import column_positions
from components.example_gen.readers.row_checks import Fields, Interactions, as_ids, check_rows, decode_dictionary
from components.example_gen.settings import DataSettings

_PARQUET_ROWS = 1 << 17
_PICKLED_TYPE = "arrow.py_extension_type"


def read_parquet_file(stream: IO[bytes] | gzip.GzipFile, name: str, data: DataSettings) -> Iterator[Interactions]:
    """Reads one Parquet file.

    Args:
        stream: the decompressed bytes.
        name: file name, for messages.
        data: columns, filters.

    Yields:
        Batches in the order of the file.

    Raises:
        UserError: the file has no rows, a configured column is missing, or a column type is pickled code.
    """
    # Parquet is read from its end, which is slow in a gzip stream.
    file = _open_parquet(io.BytesIO(stream.read()) if isinstance(stream, gzip.GzipFile) else stream, name)
    if not file.metadata.num_rows:
        raise UserError(f"{name}: the file has no rows. Hint: provide a file with one interaction per row.")
    header = file.schema_arrow.names
    positions = column_positions(header, data, name)
    names = [None if p is None else header[p] for p in positions]
    row = 1
    for record_batch in file.iter_batches(_PARQUET_ROWS, columns=[column for column in names if column]):
        table = {column: record_batch.column(record_batch.schema.get_field_index(column)) for column in names if column}
        columns = Fields(
            as_ids(table[names[0]]),  # type: ignore[index]
            as_ids(table[names[1]]),  # type: ignore[index]
            *(None if column is None else decode_dictionary(table[column]) for column in names[2:]),
        )
        rows = np.arange(row, row + record_batch.num_rows)
        yield check_rows(columns, rows, name, data, functools.partial(_raw_record, record_batch))
        row += record_batch.num_rows


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
    return str({name: batch.column(i)[index].as_py() for i, name in enumerate(batch.schema.names)}).encode()
