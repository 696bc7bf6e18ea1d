"""The dialect of a text file, from the settings and the file's first line."""

from __future__ import annotations

import re
from typing import NamedTuple

from components.example_gen.settings import DataSettings

# Excel's first line: which separator follows.
_SEPARATOR_LINE = re.compile(rb'"?sep=([^"]{1,4})"?', re.IGNORECASE)
# RecBole's header: user_id:token, item_id:token, rating:float, timestamp:float
_RECBOLE_FIELD = re.compile(r"(.+):(?:token|token_seq|float|float_seq)")


class Dialect(NamedTuple):
    """How lines become fields.

    Attributes:
        separator: between fields.
        quoting: whether double quotes enclose fields.
        comment: beginning of lines to skip; None: there are none.
    """

    separator: bytes
    quoting: bool
    comment: bytes | None


def detect_dialect(text: bytes, data: DataSettings) -> tuple[Dialect, int]:
    """Finds the dialect.

    Args:
        text: the beginning of the file, UTF-8 with LF line ends.
        data: separator, quoting, comments.

    Returns:
        The dialect, and the number of lines before the header or the first row: Excel's `sep=;`.
    """
    separator = data.separator.encode()
    comment = data.comment.encode() if data.comment else None
    first, _, _ = text.partition(b"\n")
    skipped = 0
    if stated := _SEPARATOR_LINE.fullmatch(first.strip()):
        separator, skipped = stated.group(1).replace(b"\\t", b"\t"), 1
        first = text.split(b"\n", 2)[1] if b"\n" in text else b""
    elif recbole_columns(first.decode("utf-8", "replace").split("\t")):
        separator = b"\t"
    csv = len(separator) == 1 and separator != b"\t"
    quoting = data.quoting == "csv" or (
        data.quoting == "auto" and (csv or any(_is_quoted(field) for field in first.split(separator)))
    )
    return Dialect(separator, quoting, comment), skipped


def recbole_columns(header: list[str]) -> list[str] | None:
    """The names in the header of RecBole's `.inter` files, without types; None for other headers."""
    fields = [_RECBOLE_FIELD.fullmatch(field.strip()) for field in header]
    return [field.group(1) for field in fields if field] if all(fields) else None


def _is_quoted(field: bytes) -> bool:
    return len(field) > 1 and field.strip().startswith(b'"') and field.strip().endswith(b'"')
