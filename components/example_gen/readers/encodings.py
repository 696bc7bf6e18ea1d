"""Decodes text to UTF-8: by its byte order mark, else as `data.encoding` says."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

# A 4-byte mark begins with a 2-byte one, so it is first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE_BYTES = 512
# What cannot be decoded becomes a byte that is not UTF-8, which makes its row a bad row.
_ESCAPE = "components.example_gen.escape"
codecs.register_error(_ESCAPE, lambda error: ("\udcff", error.end))  # type: ignore[attr-defined]


def as_utf8(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Decodes text.

    Args:
        chunks: the bytes of a file.
        encoding: name of a codec; "auto" is UTF-8, or UTF-16 where every other byte is 0. A byte order mark overrides
            it.

    Yields:
        UTF-8 without a byte order mark; what could not be decoded is the byte 0xFF.
    """
    first = next(chunks, b"")
    while len(first) < 4 and (more := next(chunks, b"")):
        first += more
    for mark, codec in _MARKS:
        if first.startswith(mark):
            encoding, first = codec, first[len(mark) :]
            break
    else:
        encoding = _without_mark(first[:_SAMPLE_BYTES]) if encoding == "auto" else encoding
    if codecs.lookup(encoding).name == "utf-8":
        if first:
            yield first
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder(encoding)(errors=_ESCAPE)
    yield decoder.decode(first).encode("utf-8", "surrogateescape")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "surrogateescape")
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogateescape")


def _without_mark(sample: bytes) -> str:
    """UTF-16 if it is mostly ASCII in UTF-16, else UTF-8."""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if len(sample) >= 4 and max(even, odd) > len(sample) // 4 and min(even, odd) == 0:
        return "utf-16-le" if odd else "utf-16-be"
    return "utf-8"
