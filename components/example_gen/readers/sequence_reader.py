"""Reads one user per line, `user item item ...`, as SASRec, S3-Rec and others publish their data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.readers.records import split_records, unix_lines
from components.example_gen.readers.row_checks import Fields, Interactions, check_rows
from components.example_gen.readers.text_lines import Lines, text_lines
from components.example_gen.settings import DataSettings


def read_sequences(chunks: Iterator[bytes], name: str, data: DataSettings) -> Iterator[Interactions]:
    """Reads one file of sequences. Every item is an interaction; its row is the line.

    Args:
        chunks: the content in UTF-8.
        name: file name, for messages.
        data: separator and comments.

    Yields:
        Batches in the order of the file.
    """
    comment = data.comment.encode() if data.comment else None
    separator: bytes | None = None
    for records in split_records(unix_lines(chunks), b"\0", False, comment, first_line=1):
        lines = text_lines(records, comment, data.encoding)
        if not len(lines.text):
            continue
        if separator is None:
            # The default separator hardly ever fits: these files are separated by blanks.
            stated = data.separator.encode()
            separator = stated if stated in lines.text[0].as_py() else b""
        yield _interactions(lines, separator, name, data)


def _interactions(lines: Lines, separator: bytes, name: str, data: DataSettings) -> Interactions:
    readable = lines.reasons.valid()
    text = pc.utf8_trim_whitespace(lines.text.filter(pa.array(readable)).cast(pa.string()))
    fields = pc.split_pattern(text, separator.decode()) if separator else pc.utf8_split_whitespace(text)
    counts = np.asarray(pc.list_value_length(fields), np.int64) - 1
    without_items = np.zeros(len(readable), bool)
    without_items[readable] = counts == 0
    lines.reasons.add(without_items, "a user without items")
    bad = lines.reasons.rows(lines.row, name, lines.raw)

    position = np.arange(len(fields.flatten())) - np.repeat(np.asarray(fields.offsets)[:-1], counts + 1)
    columns = Fields(
        pc.list_element(fields, 0).take(pa.array(np.repeat(np.arange(len(fields)), counts))),
        fields.flatten().filter(pa.array(position > 0)),
        *(None, None, None),
    )
    index = np.repeat(np.flatnonzero(readable), counts)
    batch = check_rows(columns, lines.row[index], name, data, lambda i: lines.raw(int(index[i])))
    return batch._replace(rows_read=batch.rows_read + len(bad), bad=sorted(bad + batch.bad, key=lambda row: row.row))
