"""Records as an Arrow column of lines, without those that are no rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.readers.records import Records
from components.example_gen.readers.row_checks import BadRowReasons


class Lines(NamedTuple):
    """The rows of a text.

    Attributes:
        text: binary [n]; quotes are removed.
        row: int [n], line of the file where the row begins, from 1.
        reasons: why rows cannot be read.
        raw: gives the text of a row by its index, as it is in the file.
        header: the line before these rows, if it was asked for.
    """

    text: pa.Array
    row: np.ndarray
    reasons: BadRowReasons
    raw: Callable[[int], bytes]
    header: bytes | None = None


def text_lines(records: Records, comment: bytes | None, encoding: str, header: bool = False) -> Lines:
    """Drops blank lines and comments; finds rows that cannot be read.

    Args:
        records: from `split_records`.
        comment: beginning of lines that are no rows; None: there are none.
        encoding: `data.encoding`, for messages.
        header: whether the first line with content is the header, and no row.
    """
    lines = pc.split_pattern(pa.array([records.text], pa.large_binary()), b"\n").flatten()
    lines = lines.slice(0, len(lines) - 1).cast(pa.binary())
    keep = _is_row(lines, comment)
    index = np.flatnonzero(keep)
    first = lines[int(index[0])].as_py() if header and len(index) else None
    if first is not None:
        keep[index[0]] = False
        index = index[1:]
    reasons = BadRowReasons(len(index))
    if len(index) < len(lines):
        lines = lines.filter(pa.array(keep))
    for record, opened in records.unclosed.items():
        reasons.add(index == record, f"the quote opened in line {opened} is never closed")
    utf8 = _is_utf8(lines)
    if not utf8.all():
        reasons.add(~utf8, f"bytes that are not {'UTF-8' if encoding == 'auto' else encoding}")
    if b"\0" in records.text:
        reasons.add(np.asarray(pc.match_substring(lines, b"\0")), "NUL bytes")
    original = records.raw

    def raw(row: int) -> bytes:
        return lines[row].as_py() if original is None else original(int(index[row]))

    return Lines(lines, records.line[index], reasons, raw, first)


def _is_row(lines: pa.Array, comment: bytes | None) -> np.ndarray:
    keep = np.array(pc.not_equal(pc.binary_length(lines), 0))
    for blank in (b" ", b"\t"):
        begins = np.asarray(pc.starts_with(lines, pattern=blank))
        if begins.any():
            keep[begins] = [bool(line.strip()) for line in lines.filter(pa.array(begins)).to_pylist()]
    if comment is not None:
        keep = keep & ~np.asarray(pc.starts_with(lines, pattern=comment))
    return keep


def _is_utf8(lines: pa.Array) -> np.ndarray:
    try:
        lines.cast(pa.string())
        return np.ones(len(lines), bool)
    except pa.ArrowInvalid:
        return np.array([_decodes(line) for line in lines.to_pylist()], bool)


def _decodes(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
