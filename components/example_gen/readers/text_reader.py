"""Reads delimited text (CSV, TSV, `::`, RecBole's `.inter`) as Arrow columns."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.readers.columns import PartitionValue, Position, column_positions
from components.example_gen.readers.dialect import detect_dialect, recbole_columns
from components.example_gen.readers.records import Records, split_records, unix_lines
from components.example_gen.readers.row_checks import Fields, Interactions, check_rows
from components.example_gen.readers.text_lines import Lines, text_lines
from components.example_gen.settings import DataSettings


def read_text_file(
    chunks: Iterator[bytes], name: str, partitions: dict[str, str | None], data: DataSettings
) -> Iterator[Interactions]:
    """Reads one text file.

    Arrow splits lines and fields; Python looks only at rows that are unusual.

    Args:
        chunks: the content in UTF-8.
        name: file name, for messages.
        partitions: values of columns that are in directory names.
        data: columns, dialect, filters.

    Yields:
        Batches in the order of the file; none if it has no rows.

    Raises:
        UserError: a configured column is missing.
    """
    text = unix_lines(chunks)
    first = next(text, b"")
    dialect, skipped = detect_dialect(first, data)
    for _ in range(skipped):
        first = first.partition(b"\n")[2]
    header = None if data.header else list(data.columns or [])
    positions = None if header is None else column_positions(header, partitions, data, name)
    blocks = split_records(itertools.chain([first] if first else [], text), *dialect, first_line=skipped + 1)
    for records in blocks:
        lines = text_lines(records, dialect.comment, data.encoding, header=header is None)
        if header is None or positions is None:
            if lines.header is None:
                continue
            names = _fields(pa.array([lines.header]), records, dialect.separator)[0]
            header = [field.decode("utf-8", "replace") for field in names.as_py()]
            header = recbole_columns(header) or header
            positions = column_positions(header, partitions, data, name)
        if len(lines.text):
            yield _interactions(lines, records, dialect.separator, len(header), positions, name, data)


def _interactions(
    lines: Lines,
    records: Records,
    separator: bytes,
    width: int,
    positions: list[Position],
    name: str,
    data: DataSettings,
) -> Interactions:
    readable = lines.reasons.valid()
    fields = pc.split_pattern(_chosen(lines.text, readable), separator)
    counts = np.asarray(pc.list_value_length(fields))
    needed = 1 + max((position for position in positions if isinstance(position, int)), default=0)
    wrong = (counts < needed) | ((counts > width) & ~_extra_are_blank(fields, counts, width))
    if wrong.any():
        all_counts, wrong_rows = np.zeros(len(readable), np.int64), np.zeros(len(readable), bool)
        all_counts[readable], wrong_rows[readable] = counts, wrong
        lines.reasons.add(wrong_rows, lambda i: f"{all_counts[i]} fields instead of {width}")
        readable = lines.reasons.valid()
        fields = fields.filter(pa.array(~wrong))

    columns = Fields(*(_column(fields, position, records, separator) for position in positions))
    bad = lines.reasons.rows(lines.row, name, lines.raw)
    index = np.flatnonzero(readable)
    batch = check_rows(columns, lines.row[index], name, data, lambda i: lines.raw(int(index[i])))
    return batch._replace(rows_read=len(lines.text), bad=sorted(bad + batch.bad, key=lambda row: row.row))


def _chosen(values: pa.Array, chosen: np.ndarray) -> pa.Array:
    return values if chosen.all() else values.filter(pa.array(chosen))


def _extra_are_blank(fields: pa.Array, counts: np.ndarray, width: int) -> np.ndarray:
    """Whether all fields beyond the last column are blank, such as those of a separator at the end; bool [n]."""
    blank = np.ones(len(counts), bool)
    longer = np.flatnonzero(counts > width)
    if len(longer):
        chosen = fields.take(pa.array(longer))
        blank[longer] = [not b"".join(values[width:]).strip() for values in chosen.to_pylist()]
    return blank


def _column(fields: pa.Array, position: Position, records: Records, separator: bytes) -> pa.Array | None:
    if isinstance(position, PartitionValue):
        return pa.array([position.value] * len(fields), pa.string())
    return None if position is None else _restored(pc.list_element(fields, position), records, separator)


def _fields(lines: pa.Array, records: Records, separator: bytes) -> pa.Array:
    """The fields of lines, as lists of bytes."""
    fields = pc.split_pattern(lines, separator)
    return pa.ListArray.from_arrays(fields.offsets, _restored(fields.flatten(), records, separator))


def _restored(values: pa.Array, records: Records, separator: bytes) -> pa.Array:
    """Values with the line breaks and separators that were in quotes."""
    if records.stand_ins is None:
        return values
    newline, first = records.stand_ins
    values = pc.replace_substring(values, pattern=newline, replacement=b"\n")
    return pc.replace_substring(values, pattern=first, replacement=separator[:1])
