"""Finds out which double quotes of a text enclose fields (RFC 4180), and where quoted text is."""

from __future__ import annotations

import bisect
from typing import NamedTuple

import numpy as np

QUOTE, NEWLINE = ord('"'), ord("\n")
# A quoted field that has no end within so many bytes is taken for a stray quote.
_QUOTED_BYTES = 64 << 20
_END, _FIELD_END, _VALUE = "end of text", "end of field", "value"


class Quotes(NamedTuple):
    """What the quotes of a text mean.

    Attributes:
        remove: int [n], ascending: positions of quotes that are not part of a value.
        start: int [m], ascending: positions of opening quotes.
        end: int [m]: positions of their closing quotes.
        unclosed: positions of opening quotes that are never closed.
        open: position of an opening quote whose end may follow after this text; None if there is none.
    """

    remove: np.ndarray
    start: np.ndarray
    end: np.ndarray
    unclosed: list[int]
    open: int | None


def find_quotes(text: bytes, separator: bytes, comment: bytes | None, final: bool) -> Quotes:
    """Finds the quotes that enclose fields.

    A quote opens at the start of a field (after blanks, too) and closes at the next one that is not doubled. Others are
    characters of the value. Where a quote would close several lines later, but in the middle of a field, it is not
    closed: so a stray quote costs its own line, not all lines up to the next quote.

    Args:
        text: begins where a record begins.
        separator: between fields.
        comment: quotes in lines that begin so mean nothing; None: there are none.
        final: whether nothing follows after the text.

    Returns:
        The meaning of all quotes up to `open`.
    """
    data = np.frombuffer(text, np.uint8)
    positions = np.flatnonzero(data == QUOTE)
    has_comments = comment is not None and (text.startswith(comment) or b"\n" + comment in text)
    quotes = None if has_comments else _well_formed(data, positions, np.frombuffer(separator, np.uint8))
    if quotes is None or (quotes.open is not None and (final or len(text) - quotes.open >= _QUOTED_BYTES)):
        quotes = _one_by_one(text, positions.tolist(), separator, comment if has_comments else None, final)
    return quotes


def _well_formed(data: np.ndarray, positions: np.ndarray, separator: np.ndarray) -> Quotes | None:
    """The quotes of a text where each one opens or closes a whole field, or is doubled; else None."""
    opening, closing = positions[0::2], positions[1::2]
    # The second of two adjacent quotes in a field: it belongs to the value.
    doubled = opening[1:] == closing[: len(opening) - 1] + 1
    opens = np.append(False, doubled) | _follows(data, opening, separator)
    closes = np.append(doubled, False)[: len(closing)] | _precedes(data, closing, separator)
    if not (opens.all() and closes.all()):
        return None
    keep = np.zeros(len(positions), bool)
    keep[2::2] = doubled
    open_ = int(opening[-1]) if len(opening) > len(closing) else None
    if open_ is not None:
        # Doubled quotes may precede: the field opened at the first quote of their chain.
        first = len(opening) - 1
        while first and doubled[first - 1]:
            first -= 1
        open_ = int(opening[first])
    return Quotes(positions[~keep], opening[: len(closing)], closing, [], open_)


def _follows(data: np.ndarray, positions: np.ndarray, separator: np.ndarray) -> np.ndarray:
    """Whether a line or field begins at the positions."""
    begins = (positions == 0) | (data[positions - 1] == NEWLINE)
    return begins | _matches(data, positions - len(separator), separator)


def _precedes(data: np.ndarray, positions: np.ndarray, separator: np.ndarray) -> np.ndarray:
    """Whether a line or field ends after the positions."""
    last = positions == len(data) - 1
    return last | (data[np.minimum(positions + 1, len(data) - 1)] == NEWLINE) | _matches(data, positions + 1, separator)


def _matches(data: np.ndarray, positions: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    inside = (positions >= 0) & (positions + len(pattern) <= len(data))
    found = inside
    for offset, byte in enumerate(pattern):
        found = found & (data[np.where(inside, positions + offset, 0)] == byte)
    return found


def _one_by_one(text: bytes, positions: list[int], separator: bytes, comment: bytes | None, final: bool) -> Quotes:
    """The quotes of any text."""
    remove: list[int] = []
    start: list[int] = []
    end: list[int] = []
    unclosed: list[int] = []
    open_ = None
    index = record = quoted_until = 0
    while index < len(positions) and open_ is None:
        position = positions[index]
        record = max(record, text.rfind(b"\n", quoted_until, position) + 1)
        line_end = text.find(b"\n", position)
        next_line = bisect.bisect_left(positions, len(text) if line_end < 0 else line_end)
        if comment is not None and text.startswith(comment, record):
            index = next_line
            continue
        if not _begins_field(text, position, record, quoted_until, separator):
            index += 1
            continue
        closing, doubled = _closing(positions, index)
        after = None if closing is None else _what_follows(text, positions[closing] + 1, separator)
        if after in (None, _END) and not final and len(text) - position < _QUOTED_BYTES:
            open_ = position
        elif closing is None or (after == _VALUE and text.find(b"\n", position, positions[closing]) >= 0):
            unclosed.append(position)
            index = next_line
        else:
            remove += [position, *doubled, positions[closing]]
            start.append(position)
            end.append(positions[closing])
            quoted_until = positions[closing] + 1
            index = closing + 1
    return Quotes(np.array(remove, int), np.array(start, int), np.array(end, int), unclosed, open_)


def _begins_field(text: bytes, position: int, record: int, quoted_until: int, separator: bytes) -> bool:
    """Whether nothing but blanks is between the start of the field and a quote."""
    first = max(record, quoted_until)
    while position > first and text[position - 1] in b" \t" and not text.endswith(separator, first, position):
        position -= 1
    return position == record >= quoted_until or text.endswith(separator, first, position)


def _closing(positions: list[int], opening: int) -> tuple[int | None, list[int]]:
    """Index of the quote that closes the one at an index (None: no such quote), and the doubled quotes between."""
    doubled, index = [], opening + 1
    while index + 1 < len(positions) and positions[index + 1] == positions[index] + 1:
        doubled.append(positions[index])
        index += 2
    return (index if index < len(positions) else None), doubled


def _what_follows(text: bytes, position: int, separator: bytes) -> str:
    """What comes after a closing quote and blanks: the end of the text, the end of the field, or more of its value."""
    while position < len(text) and text[position] in b" \t" and not text.startswith(separator, position):
        position += 1
    if position == len(text):
        return _END
    return _FIELD_END if text[position] == NEWLINE or text.startswith(separator, position) else _VALUE
