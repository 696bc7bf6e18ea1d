"""Opens an interaction file and reads it as Arrow batches; malformed rows become `BadRow`s."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from typing import IO

from components.errors import UserError
from components.example_gen.inputs.input_files import partition_values
from components.example_gen.readers.compression import decompressed
from components.example_gen.readers.encodings import as_utf8
from components.example_gen.readers.file_types import START_BYTES, check_file_type, is_json_lines, is_parquet
from components.example_gen.readers.json_reader import read_json_lines
from components.example_gen.readers.parquet_reader import read_parquet_file
from components.example_gen.readers.row_checks import Interactions
from components.example_gen.readers.sequence_reader import read_sequences
from components.example_gen.readers.text_reader import read_text_file
from components.example_gen.settings import DataSettings


def read_interactions(stream: IO[bytes], name: str, data: DataSettings) -> Iterator[Interactions]:
    """Reads one interaction file.

    Compression and Parquet are recognised by the first bytes of the file, not by its name.

    Args:
        stream: the bytes of the file; seekable.
        name: path of the file, for messages and for columns in directory names.
        data: format, columns, dialect, filters.

    Yields:
        Batches in file order; none if the file has no rows.

    Raises:
        UserError: the whole file is unreadable: of another kind, damaged, or without the configured columns.
    """
    compression, chunks = decompressed(stream, name)
    first = next(chunks, b"")
    chunks = itertools.chain([first] if first else [], chunks)
    partitions = partition_values(name)
    if is_parquet(first) and data.format in ("auto", "parquet"):
        if compression is None:
            stream.seek(0)
        # Parquet is read from its end, so a compressed one is decompressed in memory.
        yield from read_parquet_file(
            stream if compression is None else io.BytesIO(b"".join(chunks)), name, partitions, data
        )
        return
    check_file_type(first[:START_BYTES], name)
    if data.format == "parquet":
        if first:
            raise UserError(f"{name}: not a Parquet file. Hint: use --set data.format=auto if it is text.")
        return
    text = as_utf8(chunks, data.encoding)
    if data.format == "sequences":
        yield from read_sequences(text, name, data)
        return
    start = next(text, b"")
    text = itertools.chain([start] if start else [], text)
    if data.format == "jsonl" or (data.format == "auto" and is_json_lines(start[:START_BYTES])):
        yield from read_json_lines(text, name, partitions, data)
    else:
        yield from read_text_file(text, name, partitions, data)
