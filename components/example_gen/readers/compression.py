"""Decompresses a file as its first bytes say, whatever its name."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO

import zstandard

from components.errors import UserError

CHUNK_BYTES = 4 << 20

_ERRORS = (struct.error, EOFError, OSError, zlib.error, lzma.LZMAError, zstandard.ZstdError, zipfile.BadZipFile)


def decompressed(stream: IO[bytes], name: str) -> tuple[str | None, Iterator[bytes]]:
    """Finds out how a file is compressed.

    Args:
        stream: seekable, at its start.
        name: file name, for messages.

    Returns:
        The compression (gzip, bz2, xz, zstd or zip; None for none), and the decompressed content, some megabytes at a
        time. It raises a UserError when it meets damage.

    Raises:
        UserError: a zip archive that is not one compressed file.
    """
    start = stream.read(16)
    stream.seek(0)
    for magic, compression, open_stream in _COMPRESSIONS:
        if start.startswith(magic) and (compression != "bz2" or start[4:10] in _BZ2_BLOCKS):
            return compression, _filled(_checked(open_stream(stream, name), compression, name))
    return None, _filled(_read(stream))


# What follows "BZh" and the level, with which a text may begin: a block, or the end.
_BZ2_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")


def _read(stream: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: stream.read(CHUNK_BYTES), b"")


def _filled(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Joins short chunks, so that the first one shows what the file is."""
    joined = b""
    for chunk in chunks:
        joined += chunk
        if len(joined) >= CHUNK_BYTES // 4:
            yield joined
            joined = b""
    if joined:
        yield joined


def _checked(chunks: Iterator[bytes], compression: str, name: str) -> Iterator[bytes]:
    try:
        yield from chunks
    except _ERRORS as error:
        raise UserError(
            f"{name}: the {compression} stream is damaged or truncated ({_one_line(error)}). "
            "Hint: copy or compress the file again."
        ) from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _gzip(stream: IO[bytes], name: str) -> Iterator[bytes]:
    return _read(gzip.GzipFile(fileobj=stream))  # type: ignore[arg-type]


def _bz2(stream: IO[bytes], name: str) -> Iterator[bytes]:
    return _read(bz2.BZ2File(stream))


def _xz(stream: IO[bytes], name: str) -> Iterator[bytes]:
    return _read(lzma.LZMAFile(stream))


def _zstd(stream: IO[bytes], name: str) -> Iterator[bytes]:
    """Frame by frame; zstandard's own reader ends silently where a frame is truncated."""
    rest = b""
    while data := rest or stream.read(CHUNK_BYTES):
        frame = zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj()
        while data:
            if decompressed := frame.decompress(data):
                yield decompressed
            if frame.eof:
                break
            data = stream.read(CHUNK_BYTES)
        if not frame.eof:
            raise EOFError("the last frame has no end")
        rest = frame.unused_data


def _zip(stream: IO[bytes], name: str) -> Iterator[bytes]:
    try:
        archive = zipfile.ZipFile(stream)
    except (*_ERRORS, ValueError, RuntimeError) as error:  # NotImplementedError: of a later version
        raise UserError(
            f"{name}: the zip archive is damaged or truncated ({_one_line(error)}). "
            "Hint: copy or compress the file again."
        ) from None
    names = [member.filename for member in archive.infolist() if not member.is_dir()]
    if "xl/workbook.xml" in names:
        raise UserError(f"{name}: this is an XLSX workbook. Hint: save the sheet as CSV.")
    if "content.xml" in names:
        raise UserError(f"{name}: this is an OpenDocument file. Hint: save the sheet as CSV.")
    # macOS adds a folder of its own.
    members = [member for member in names if not member.startswith("__MACOSX/")]
    if len(members) != 1:
        listed = ", ".join(members[:8]) or "nothing"
        raise UserError(
            f"{name}: a zip archive should have one file in it. It has {len(members)}: {listed}. "
            "Hint: unzip it, and pass the file with the interactions."
        )
    try:
        return _read(archive.open(members[0]))
    except (*_ERRORS, RuntimeError, ValueError) as error:  # encrypted, of an unknown method, or damaged
        raise UserError(f"{name}: {_one_line(error)}. Hint: unzip the file, and pass its content.") from None


_COMPRESSIONS: tuple[tuple[bytes, str, Callable[[IO[bytes], str], Iterator[bytes]]], ...] = (
    (b"\x1f\x8b", "gzip", _gzip),
    (b"BZh", "bz2", _bz2),
    (b"\xfd7zXZ\x00", "xz", _xz),
    (b"\x28\xb5\x2f\xfd", "zstd", _zstd),
    (b"PK\x03\x04", "zip", _zip),
    (b"PK\x05\x06", "zip", _zip),
)
