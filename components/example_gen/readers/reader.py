"""Opens an interaction file and reads it as Arrow batches; malformed rows become `BadRow`s."""

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
    """Reads one interaction file.

    Args:
        stream: the bytes of the file, gzipped or not; seekable.
        name: file name, for messages; its extension decides the format if `data.format` is "auto".
        data: columns, separator, filters.

    Yields:
        Batches in file order.

    Raises:
        UserError: the whole file is unreadable: empty, truncated, or without the configured columns.
    """
    try:
        start = stream.read(2)
        stream.seek(0)
        plain = gzip.GzipFile(fileobj=stream) if start == _GZIP_MAGIC else stream
        yield from (read_parquet_file if _is_parquet(name, data) else read_text_file)(plain, name, data)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(
            f"{name}: the gzip stream is damaged or truncated ({error}). Hint: copy or compress the file again."
        ) from None
    except pa.ArrowInvalid as error:
        raise UserError(
            f"{name}: not a readable Parquet file ({str(error).splitlines()[0]}). "
            "Hint: write it again, or use --set data.format=csv if it is text."
        ) from None


def _is_parquet(name: str, data: DataSettings) -> bool:
    return data.format == "parquet" or (data.format == "auto" and name.removesuffix(".gz").endswith(".parquet"))
