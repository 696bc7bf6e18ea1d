"""Reads files of interactions as Arrow batches; what cannot be read becomes a `BadRow`, never silence.

Text is cut into lines and fields by Arrow, so no interaction becomes a Python object; only blocks that hold something
unusual (quotes, bytes that are not UTF-8, unreadable times) are looked at row by row.
"""

from __future__ import annotations

import csv
import functools
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from typing import IO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

# Without it pyarrow 10 (TFX 1.16) unpickles what a column's metadata calls `arrow.py_extension_type`: CVE-2023-47248.
import pyarrow_hotfix  # noqa: F401

from components.errors import UserError
from components.example_gen.readers.columns import column_positions
from components.example_gen.readers.quarantine import BadRow
from components.example_gen.readers.timestamps import parse_times
from components.settings import DataSettings

_BLOCK_BYTES = 4 << 20
_PARQUET_ROWS = 1 << 17
_PICKLED_TYPE = "arrow.py_extension_type"
_GZIP_MAGIC, _BOM = b"\x1f\x8b", b"\xef\xbb\xbf"


class Interactions(NamedTuple):
    """One batch of a file.

    Attributes:
        user: binary [n].
        item: binary [n].
        time: int64 [n], microseconds; 0 where there is no time column.
        row: int64 [n], line of a text file or record of a Parquet file, from 1.
        rows_read: rows of the batch, good or bad.
        filtered: rows left out by rating or event.
        bad: rows that could not be read.
    """

    user: pa.Array
    item: pa.Array
    time: np.ndarray
    row: np.ndarray
    rows_read: int
    filtered: int
    bad: list[BadRow]


def read_interactions(stream: IO[bytes], name: str, data: DataSettings) -> Iterator[Interactions]:
    """Reads one file.

    Args:
        stream: the file's bytes, gzipped or not; seekable.
        name: of the file, for messages; its ending tells the format where `data.format` is "auto".
        data: columns, separator, filters.

    Yields:
        Batches in the order of the file.

    Raises:
        UserError: the file as a whole cannot be read: empty, truncated, without the configured columns.
    """
    try:
        start = stream.read(2)
        stream.seek(0)
        plain = gzip.GzipFile(fileobj=stream) if start == _GZIP_MAGIC else stream
        yield from (_read_parquet if _is_parquet(name, data) else _read_text)(plain, name, data)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(
            f"{name}: the gzip stream is damaged or cut short ({error}). Remedy: copy or compress the file again."
        ) from None
    except pa.ArrowInvalid as error:
        raise UserError(
            f"{name}: this is not a Parquet file that can be read ({str(error).splitlines()[0]}). "
            "Remedy: write it again, or set `data.format: csv` if it is text."
        ) from None


def _is_parquet(name: str, data: DataSettings) -> bool:
    return data.format == "parquet" or (data.format == "auto" and name.removesuffix(".gz").endswith(".parquet"))


RawOf = Callable[[int], bytes]


class _Reasons:
    """Why rows are bad; the first reason of a row counts."""

    def __init__(self, n: int) -> None:
        self._reasons: dict[int, str] = {}
        self._bad = np.zeros(n, bool)

    def add(self, bad: np.ndarray, reason: str | Callable[[int], str]) -> None:
        """Marks rows (bool [n])."""
        for i in np.flatnonzero(bad & ~self._bad):
            self._reasons[int(i)] = reason if isinstance(reason, str) else reason(int(i))
        self._bad |= bad

    def none(self) -> np.ndarray:
        """Bool [n]: nothing is wrong with the row."""
        return ~self._bad

    def rows(self, rows: np.ndarray, name: str, raw: RawOf) -> list[BadRow]:
        """The bad rows."""
        return [
            BadRow(name, int(rows[i]), reason, raw(i).decode("utf-8", errors="backslashreplace"))
            for i, reason in sorted(self._reasons.items())
        ]


class _Fields(NamedTuple):
    """Configured columns of some rows, as read; None where a column is not configured."""

    user: pa.Array
    item: pa.Array
    time: pa.Array | None
    rating: pa.Array | None
    event: pa.Array | None

    def filter(self, keep: np.ndarray) -> _Fields:
        mask = pa.array(keep)
        return _Fields(*(None if column is None else column.filter(mask) for column in self))


def _read_text(stream: IO[bytes] | gzip.GzipFile, name: str, data: DataSettings) -> Iterator[Interactions]:
    blocks = _blocks(stream)
    first = next(blocks, b"").removeprefix(_BOM)
    if not first.strip():
        raise UserError(f"{name}: the file is empty. Remedy: pass a file with one interaction per line.")
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
    reasons = _Reasons(len(lines))
    blank = np.asarray(pc.equal(pc.binary_length(lines), 0))
    utf8 = _utf8(lines)
    reasons.add(~utf8, "bytes that are not UTF-8")
    fields = pc.split_pattern(lines, data.separator.encode())
    quoted = np.asarray(pc.match_substring(lines, b'"'))
    if (quoted & utf8).any():
        fields = _unquoted(lines, fields, quoted & utf8, data.separator)
    counts = np.asarray(pc.list_value_length(fields))
    reasons.add((counts != width) & ~blank, lambda i: f"{counts[i]} fields instead of {width}")

    readable = ~blank & reasons.none()
    chosen = fields.filter(pa.array(readable))
    columns = _Fields(*(None if p is None else pc.list_element(chosen, p) for p in positions))
    bad = reasons.rows(rows, name, lambda i: lines[i].as_py())
    raw = lines.filter(pa.array(readable))
    batch = _checked(columns, rows[readable], name, data, lambda i: raw[i].as_py())
    return batch._replace(
        rows_read=len(lines) - int(blank.sum()), bad=sorted(bad + batch.bad, key=lambda found: found.row)
    )


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
    """`fields` with the lines that hold quotes read by Python's csv module."""
    replaced = fields.to_pylist()
    for i in np.flatnonzero(quoted):
        replaced[i] = [value.encode() for value in _split_line(lines[int(i)].as_py().decode(), separator)]
    return pa.array(replaced, pa.list_(pa.binary()))


def _split_line(line: str, separator: str) -> list[str]:
    if len(separator) != 1:
        return line.split(separator)
    return next(csv.reader([line], delimiter=separator), [""])


def _read_parquet(stream: IO[bytes] | gzip.GzipFile, name: str, data: DataSettings) -> Iterator[Interactions]:
    # Parquet is read from its end, which is slow in a gzip stream.
    file = _open_parquet(io.BytesIO(stream.read()) if isinstance(stream, gzip.GzipFile) else stream, name)
    if not file.metadata.num_rows:
        raise UserError(f"{name}: the file has no rows. Remedy: pass a file with one interaction per row.")
    header = file.schema_arrow.names
    positions = column_positions(header, data, name)
    names = [None if p is None else header[p] for p in positions]
    row = 1
    for record_batch in file.iter_batches(_PARQUET_ROWS, columns=[column for column in names if column]):
        table = {column: record_batch.column(record_batch.schema.get_field_index(column)) for column in names if column}
        columns = _Fields(
            _as_ids(table[names[0]]),  # type: ignore[index]
            _as_ids(table[names[1]]),  # type: ignore[index]
            *(None if column is None else _plain(table[column]) for column in names[2:]),
        )
        rows = np.arange(row, row + record_batch.num_rows)
        yield _checked(columns, rows, name, data, functools.partial(_raw_record, record_batch))
        row += record_batch.num_rows


def _open_parquet(stream: IO[bytes], name: str) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(stream)
        types = {(field.metadata or {}).get(b"ARROW:extension:name", b"").decode() for field in file.schema_arrow}
    except RuntimeError as error:
        # Raised by pyarrow_hotfix. Its message quotes the pickled bytes, which are a stranger's.
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


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column


def _as_ids(column: pa.Array) -> pa.Array:
    """Ids are opaque strings; whole numbers that were stored as floats (for the sake of nulls) lose their `.0`."""
    column = _plain(column)
    if pa.types.is_floating(column.type) and pc.all(pc.equal(column, pc.floor(column))).as_py():
        column = column.cast(pa.int64())
    if not pa.types.is_binary(column.type) and not pa.types.is_large_binary(column.type):
        column = column.cast(pa.string())
    return column.cast(pa.binary())


def _checked(columns: _Fields, rows: np.ndarray, name: str, data: DataSettings, raw: RawOf) -> Interactions:
    """Looks at values: ids, time, rating, event."""
    reasons = _Reasons(len(rows))
    for label, ids in ((data.user_column, columns.user), (data.item_column, columns.item)):
        reasons.add(_blank(ids), f"blank `{label}`")
        reasons.add(_breaks_line(ids), f"line break in `{label}`")
    time = np.zeros(len(rows), np.int64)
    if columns.time is not None:
        time, unreadable = parse_times(columns.time, data.time_format)
        reasons.add(unreadable, f"unreadable time in `{data.time_column}`")
    keep = np.ones(len(rows), bool)
    if columns.rating is not None:
        rating, unreadable = _numbers(columns.rating)
        reasons.add(unreadable, f"`{data.rating_column}` is not a number")
        keep &= ~(rating < data.min_rating)  # type: ignore[operator]
    if columns.event is not None:
        wanted = pa.array([event.encode() for event in data.events or []], pa.binary())
        keep &= np.asarray(pc.is_in(_as_ids(columns.event), value_set=wanted))
    good = reasons.none()
    kept = columns.filter(good & keep)
    return Interactions(
        user=kept.user,
        item=kept.item,
        time=time[good & keep],
        row=rows[good & keep],
        rows_read=len(rows),
        filtered=int((good & ~keep).sum()),
        bad=reasons.rows(rows, name, raw),
    )


def _blank(ids: pa.Array) -> np.ndarray:
    text = ids.cast(pa.string())
    return np.asarray(pc.fill_null(pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(text)), 0), True))


def _breaks_line(ids: pa.Array) -> np.ndarray:
    broken = pc.or_(pc.match_substring(ids, b"\n"), pc.match_substring(ids, b"\r"))
    return np.asarray(pc.fill_null(broken, False))


def _numbers(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Float [n] and whether each could not be read."""
    if pa.types.is_binary(column.type):
        column = column.cast(pa.string())
    try:
        values = np.asarray(pc.fill_null(column.cast(pa.float64()), np.nan))
    except pa.ArrowInvalid:
        values = np.array([_number(value) for value in column.to_pylist()])
    return values, ~np.isfinite(values)


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return np.nan
