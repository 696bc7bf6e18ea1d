"""Reads CSV, TSV and `::`-separated text as Arrow columns."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.errors import UserError
from components.example_gen.readers.columns import column_positions
from components.example_gen.readers.row_checks import BadRowReasons, Fields, Interactions, check_rows
from components.example_gen.settings import DataSettings

_BLOCK_BYTES = 4 << 20
_BOM = b"\xef\xbb\xbf"


def read_text_file(stream: IO[bytes] | gzip.GzipFile, name: str, data: DataSettings) -> Iterator[Interactions]:
    """Reads one text file.

    Lines and fields are split by Arrow; only blocks with something unusual (quotes, bytes that are not UTF-8) are
    looked at row by row.

    Args:
        stream: the decompressed bytes.
        name: file name, for messages.
        data: columns, separator, filters.

    Yields:
        Batches in the order of the file.

    Raises:
        UserError: the file is empty, or a configured column is missing.
    """
    blocks = _blocks(stream)
    first = next(blocks, b"").removeprefix(_BOM)
    if not first.strip():
        raise UserError(f"{name}: the file is empty. Hint: provide a file with one interaction per line.")
    row = 1
    if data.header:
        line, _, first = first.partition(b"\n")
        header = _split_line(line.decode("utf-8", errors="replace").rstrip("\r"), data.separator)
        row = 2
    else:
        header = list(data.columns or [])
    positions = column_positions(header, data, name)
    for block in _chain(first, blocks):
        lines = pc.split_pattern(pa.array([block], pa.large_binary()), b"\n").flatten()
        if block.endswith(b"\n"):
            lines = lines.slice(0, len(lines) - 1)
        if len(lines):
            yield _batch_of_lines(lines.cast(pa.binary()), row, len(header), positions, name, data)
        row += len(lines)


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _blocks(stream: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    """Whole lines, some megabytes at a time, with Unix line ends."""
    rest = b""
    while chunk := stream.read(_BLOCK_BYTES):
        lines, newline, tail = chunk.rpartition(b"\n")
        if newline:
            yield (rest + lines + newline).replace(b"\r\n", b"\n")
            rest = tail
        else:
            rest += tail
    if rest:
        yield rest.replace(b"\r\n", b"\n").removesuffix(b"\r")


def _batch_of_lines(
    lines: pa.Array, first_row: int, width: int, positions: list[int | None], name: str, data: DataSettings
) -> Interactions:
    rows = np.arange(first_row, first_row + len(lines))
    reasons = BadRowReasons(len(lines))
    blank = np.asarray(pc.equal(pc.binary_length(lines), 0))
    utf8 = _utf8(lines)
    reasons.add(~utf8, "bytes that are not UTF-8")
    fields = pc.split_pattern(lines, data.separator.encode())
    quoted = np.asarray(pc.match_substring(lines, b'"'))
    if (quoted & utf8).any():
        fields = _unquoted(lines, fields, quoted & utf8, data.separator)
    counts = np.asarray(pc.list_value_length(fields))
    reasons.add((counts != width) & ~blank, lambda i: f"{counts[i]} fields instead of {width}")

    readable = ~blank & reasons.valid()
    chosen = fields.filter(pa.array(readable))
    columns = Fields(*(None if p is None else pc.list_element(chosen, p) for p in positions))
    bad = reasons.rows(rows, name, lambda i: lines[i].as_py())
    raw = lines.filter(pa.array(readable))
    batch = check_rows(columns, rows[readable], name, data, lambda i: raw[i].as_py())
    return batch._replace(rows_read=len(lines) - int(blank.sum()), bad=sorted(bad + batch.bad, key=lambda row: row.row))


def _utf8(lines: pa.Array) -> np.ndarray:
    try:
        lines.cast(pa.string())
        return np.ones(len(lines), bool)
    except pa.ArrowInvalid:
        return np.array([_decodes(line) for line in lines.to_pylist()])


def _decodes(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _unquoted(lines: pa.Array, fields: pa.Array, quoted: np.ndarray, separator: str) -> pa.Array:
    """`fields` with quoted lines re-parsed by Python's csv module."""
    replaced = fields.to_pylist()
    for i in np.flatnonzero(quoted):
        replaced[i] = [value.encode() for value in _split_line(lines[int(i)].as_py().decode(), separator)]
    return pa.array(replaced, pa.list_(pa.binary()))


def _split_line(line: str, separator: str) -> list[str]:
    if len(separator) != 1:
        return line.split(separator)
    return next(csv.reader([line], delimiter=separator), [""])
