"""Names a file by its first bytes: Parquet, JSON lines, or one of the formats that are not interactions."""

from __future__ import annotations

import re

from components.errors import UserError

# Bytes that decide.
START_BYTES = 512

_PARQUET = b"PAR1"
_AS_CSV = "save the data as CSV"
_AS_PARQUET = "write it as Parquet"

# (position, first bytes there, what it is, hint)
_OTHERS = (
    (0, b"PARE", "an encrypted Parquet file", "decrypt it"),
    (0, b"\x1f\x8b", "compressed twice", "decompress it once"),
    (0, b"PK\x03\x04", "a zip archive inside a compressed file", "unpack it"),
    (0, b"\xd0\xcf\x11\xe0", "an old Office document, such as an XLS workbook", _AS_CSV),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"),
    (0, b"Rar!", "a RAR archive", "unpack it"),
    (257, b"ustar", "a tar archive", "unpack it, and pass the file with the interactions"),
    (0, b"\x04\x22\x4d\x18", "an LZ4 file", "decompress it with lz4 -d"),
    (0, b"\xff\x06\x00\x00sNaPpY", "a Snappy file", "decompress it"),
    (0, b"%PDF", "a PDF document", "find the data that it was made of"),
    (0, b"SQLite format 3", "an SQLite database", "export the table as CSV: sqlite3 -header -csv FILE 'SELECT ...'"),
    (0, b"\x89HDF", "an HDF5 file", _AS_PARQUET),
    (0, b"ORC", "an ORC file", _AS_PARQUET),
    (0, b"Obj\x01", "an Avro file", _AS_PARQUET),
    (0, b"ARROW1", "an Arrow or Feather file", _AS_PARQUET),
    (0, b"FEA1", "a Feather file", _AS_PARQUET),
    (0, b"\x93NUMPY", "a NumPy array", _AS_CSV),
    (0, b"RDX", "an R data file", _AS_CSV),
    (0, b"X\n\x00\x00\x00", "an R data file", _AS_CSV),
    (0, b"\x80\x02", "a Python pickle, which can run code when it is opened", _AS_PARQUET),
    (0, b"\x80\x03", "a Python pickle, which can run code when it is opened", _AS_PARQUET),
    (0, b"\x80\x04\x95", "a Python pickle, which can run code when it is opened", _AS_PARQUET),
    (0, b"\x80\x05\x95", "a Python pickle, which can run code when it is opened", _AS_PARQUET),
    (0, b"\x89PNG", "a picture", "check the path"),
    (0, b"version https://git-lfs", "a pointer of Git LFS, without the data", "fetch the data: git lfs pull"),
)
# Bytes that text does not have.
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_HTML = re.compile(rb"\s*(<!doctype html|<html|<head)", re.IGNORECASE)
_XML = re.compile(rb"\s*<\?xml")
_JSON_LINES = re.compile(rb"\s*\{\s*[\"}]")
_JSON_ARRAY = re.compile(rb"\s*\[\s*[\[{]")


def _is_word(magic: bytes) -> bool:
    """Whether a text may begin so: a header with the column ORCID is no ORC file."""
    return magic.isascii() and magic.decode().isalnum()


def is_parquet(start: bytes) -> bool:
    """Whether a file that starts so is Parquet, and no text whose first column is called so."""
    return start.startswith(_PARQUET) and _CONTROL.search(start[:START_BYTES]) is not None


def is_json_lines(start: bytes) -> bool:
    """Whether a text that starts so has a JSON object in its first line."""
    return _JSON_LINES.match(start) is not None


def check_file_type(start: bytes, name: str) -> None:
    """Refuses files that are known, and are no interactions.

    Args:
        start: the first `START_BYTES` of the decompressed file.
        name: file name, for the message.

    Raises:
        UserError: the file is of another kind; the message names it.
    """
    for position, magic, kind, hint in _OTHERS:
        if start[position : position + len(magic)] == magic and not (
            _is_word(magic) and _CONTROL.search(start) is None
        ):
            raise UserError(f"{name}: this is {kind}. Hint: {hint}.")
    if _HTML.match(start):
        raise UserError(f"{name}: this is an HTML page, perhaps of a login or an error. Hint: download the file again.")
    if _XML.match(start):
        raise UserError(f"{name}: this is XML. Hint: {_AS_CSV}.")
    if _JSON_ARRAY.match(start):
        raise UserError(f"{name}: this is a JSON array. Hint: write one object per line: jq -c '.[]' FILE > FILE.jsonl")
