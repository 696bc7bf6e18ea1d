"""Reads files of interactions as Arrow batches; what cannot be read becomes a `BadRow`, never silence.

Text is cut into lines and fields by Arrow, so no interaction becomes a Python object; only blocks that hold something
unusual (quotes, bytes that are not UTF-8, unreadable times) are looked at row by row.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import IO

import pyarrow as pa

from components.errors import UserError
from components.example_gen.readers.parquet_reader import read_parquet_file
from components.example_gen.readers.row_checks import Interactions
from components.example_gen.readers.text_reader import read_text_file
from components.example_gen.settings import DataSettings

_GZIP_MAGIC = b"\x1f\x8b"


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
        yield from (read_parquet_file if _is_parquet(name, data) else read_text_file)(plain, name, data)
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
