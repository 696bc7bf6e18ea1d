"""Splits text into records: one line each, or several if a quoted field has line breaks (RFC 4180).

Quotes are resolved before lines are split. A record comes out as one line without its quotes, where separators and line
breaks that were inside quotes are stand-in bytes; so Arrow can split lines and fields, quoted or not.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from components.errors import UserError
from components.example_gen.readers.quotes import NEWLINE, Quotes, find_quotes

# Control characters that hardly occur in text.
_STAND_INS = bytes([*range(0x1C, 0x20), *range(0x01, 0x09), *range(0x0E, 0x1C), 0x7F])


class Records(NamedTuple):
    """Consecutive records.

    Attributes:
        text: one line per record, each with "\\n" at its end; quotes are removed.
        line: int [n], the line of the file where each record begins, from 1.
        unclosed: for records with a quote that is never closed, by index: the line of that quote.
        stand_ins: bytes in `text` that stand for line breaks and for the separator's first byte, where these were
            inside quotes; None if there are none.
        next_line: the line after the last record.
        raw: gives the text of a record by its index, with its quotes; None: it is the line in `text`.
    """

    text: bytes
    line: np.ndarray
    unclosed: dict[int, int]
    stand_ins: tuple[bytes, bytes] | None
    next_line: int
    raw: Callable[[int], bytes] | None = None


def unix_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Line ends CRLF, or CR in a text whose first megabytes have no LF, become LF."""
    old_mac: bool | None = None
    held = b""
    for chunk in chunks:
        chunk = held + chunk
        if old_mac is None:
            old_mac = b"\n" not in chunk and b"\r" in chunk.rstrip(b"\r")
        # The line feed of a CR at the end may be in the next chunk.
        held = b"\r" if chunk.endswith(b"\r") and not old_mac else b""
        chunk = chunk.removesuffix(held)
        yield chunk.replace(b"\r", b"\n") if old_mac else chunk.replace(b"\r\n", b"\n")
    if held:
        yield b"\n"


def split_records(
    chunks: Iterator[bytes], separator: bytes, quoting: bool, comment: bytes | None, first_line: int
) -> Iterator[Records]:
    """Splits text into records.

    Args:
        chunks: UTF-8 with LF line ends.
        separator: between fields.
        quoting: whether double quotes enclose fields; else they are characters like others.
        comment: lines that begin so are no records, and their quotes mean nothing; None: there are none.
        first_line: number of the first line.

    Yields:
        Records in the order of the text, some megabytes at a time. Comments are still among them.
    """
    text, line = b"", first_line
    for chunk in itertools.chain(chunks, [None]):
        final = chunk is None
        text += chunk or (b"\n" if text and not text.endswith(b"\n") else b"")
        if not text or (chunk is not None and b"\n" not in chunk):
            continue
        records, text = (
            _quoted_records(text, separator, comment, line, final)
            if quoting and b'"' in text
            else _plain_records(text, line)
        )
        if len(records.line):
            yield records
            line = records.next_line


def _plain_records(text: bytes, first_line: int) -> tuple[Records, bytes]:
    """The records of a text without quotes, and the rest after the last whole one."""
    end = text.rfind(b"\n") + 1
    count = text.count(b"\n", 0, end)
    return Records(text[:end], np.arange(first_line, first_line + count), {}, None, first_line + count), text[end:]


def _quoted_records(
    text: bytes, separator: bytes, comment: bytes | None, first_line: int, final: bool
) -> tuple[Records, bytes]:
    quotes = find_quotes(text, separator, comment, final)
    data = np.frombuffer(text, np.uint8)
    newlines = np.flatnonzero(data == NEWLINE)
    if quotes.open is not None:
        newlines = newlines[newlines < quotes.open]
    record_ends = np.flatnonzero(~_inside(newlines, quotes))
    newlines = newlines[: record_ends[-1] + 1] if len(record_ends) else newlines[:0]
    ends = newlines[record_ends]
    size = int(ends[-1]) + 1 if len(ends) else 0
    lines = np.append(0, record_ends[:-1] + 1)[: len(ends)] + first_line
    unclosed = {
        int(np.searchsorted(ends, position)): first_line + int(np.searchsorted(newlines, position))
        for position in reversed(quotes.unclosed)
        if position < size
    }
    separators = np.flatnonzero(data[:size] == separator[0])
    quoted_separators = separators[_inside(separators, quotes)]
    quoted_newlines = np.delete(newlines, record_ends)
    stand_ins = None
    data = data[:size].copy()
    if len(quoted_newlines) or len(quoted_separators):
        stand_ins = _stand_ins(text[:size])
        data[quoted_newlines], data[quoted_separators] = stand_ins[0][0], stand_ins[1][0]
    keep = np.ones(size, bool)
    keep[quotes.remove[quotes.remove < size]] = False
    starts = np.append(0, ends + 1)

    def raw(index: int) -> bytes:
        return text[starts[index] : ends[index]]

    return Records(data[keep].tobytes(), lines, unclosed, stand_ins, first_line + len(newlines), raw), text[size:]


def _inside(positions: np.ndarray, quotes: Quotes) -> np.ndarray:
    """Whether positions are in quoted text; bool [n]."""
    if not len(quotes.start):
        return np.zeros(len(positions), bool)
    index = np.searchsorted(quotes.start, positions) - 1
    return (index >= 0) & (positions < quotes.end[index])


def _stand_ins(text: bytes) -> tuple[bytes, bytes]:
    unused = [bytes([value]) for value in _STAND_INS if bytes([value]) not in text]
    if len(unused) < 2:
        raise UserError("the text has control characters of every kind. Hint: is it a text file?")
    return unused[0], unused[1]
