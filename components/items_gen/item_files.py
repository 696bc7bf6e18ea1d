"""Reads files about items: CSV, TSV or Parquet with an ID, perhaps a title, and anything else."""

from __future__ import annotations

import csv
import decimal
import io
from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from components.errors import UserError
from components.example_gen.inputs.id_lists import read_id_list
from components.example_gen.inputs.input_files import input_files
from components.example_gen.readers.compression import decompressed
from components.example_gen.readers.encodings import as_utf8
from components.example_gen.readers.ids import check_id_type, ids_as_text, number_as_text, plain_values
from components.files import read_bytes

ITEMS_FILE = "items.parquet"
# Columns of the result; all others are those of the file.
ITEM, TITLE = "item_id", "title"
# Separates several values of one item.
SEVERAL = "|"

_TITLES = ("title", "name")
_SEPARATORS = (",", "\t", ";")
_MAGIC = b"PAR1"


def read_items(path: str, id_column: str, encoding: str = "auto", setting: str = "`data.items`") -> pa.Table:
    """Reads a file about items.

    Args:
        path: CSV or TSV with a header, or Parquet; may be compressed. Or several such files, see `input_files`.
        id_column: name of the column with IDs in the interaction log; the file may also name it `item_id` or `id`.
        encoding: of text, see `data.encoding`.
        setting: where the path was given, for messages.

    Returns:
        Strings: `item_id`, `title` (null where there is none) from the column `title` or `name`, and all other columns;
        lists are joined by "|".

    Raises:
        UserError: the file cannot be read, has no column with IDs, or rows without an ID or with the same one.
    """
    try:
        tables = [_read(file, id_column, encoding) for file in input_files(path)]
    except UserError as error:
        raise UserError(f"{setting}: {error}") from None
    items = pa.concat_tables(tables, promote=True)
    _refuse_repeated(items[ITEM].to_pylist(), f"{setting}: {path}")
    return items


def read_blocklist(path: str) -> pa.Table:
    """Reads a text file with an item ID per line.

    Args:
        path: what `input_files` takes.

    Returns:
        The column `item_id`.

    Raises:
        UserError: the file cannot be read.
    """
    ids = read_id_list(path, "`recommend.blocklist`", "an item ID")
    return pa.table({ITEM: pa.array(sorted(id_.decode() for id_ in ids), pa.string())})


def _read(file: str, id_column: str, encoding: str) -> pa.Table:
    try:
        content = b"".join(decompressed(io.BytesIO(read_bytes(file)), file)[1])
        if content.startswith(_MAGIC):
            table = pq.read_table(pa.BufferReader(content))
        else:
            text = b"".join(as_utf8(iter([content]), encoding)).decode("utf-8")
            table = _parse(text, id_column)
    except UnicodeDecodeError:
        name = "UTF-8" if encoding == "auto" else encoding
        raise UserError(f"{file} is not {name}. Hint: set data.encoding, such as windows-1252.") from None
    except (OSError, ValueError, csv.Error, pa.ArrowException) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"{file} cannot be read: {reason}. Hint: pass a CSV file with a header, or a Parquet file."
        ) from None
    names = table.column_names
    found = next((name for name in (id_column, ITEM, "id") if name in names), None)
    if found is None:
        raise UserError(
            f"{file} has no column `{id_column}`; its columns are {', '.join(names[:20])}. "
            f"Hint: name the column with item IDs `{id_column}`, as in the log (`data.item_column`), or `{ITEM}`."
        )
    check_id_type(table.schema.field(found).type, found, file)
    # Without blanks around them, as in the log.
    ids = pc.utf8_trim_whitespace(ids_as_text(table[found].combine_chunks())[0])
    if ids.null_count or "" in (texts := ids.to_pylist()):
        row = next(row for row, text in enumerate(ids.to_pylist(), start=1) if not text)
        raise UserError(f"{file}: item {row} has no ID in the column `{found}`. Hint: remove this row.")
    title = next((name for name in _TITLES if name in names and name != found), None)
    columns = {ITEM: ids, TITLE: _texts(table[title]) if title else pa.nulls(len(texts), pa.string())}
    columns |= {name: _texts(table[name]) for name in names if name not in (found, title, ITEM, TITLE)}
    return pa.table(columns)


def _parse(text: str, id_column: str) -> pa.Table:
    """Parses delimited text; the separator is the one that makes a column with IDs of the header."""
    if text[:4].lower() == "sep=":  # Excel says so in a line of its own
        text = text.partition("\n")[2]
    header, wanted = text.partition("\n")[0], {id_column, ITEM, "id"}
    found = [each for each in _SEPARATORS if wanted & {name.strip(' "\r') for name in header.split(each)}]
    separator = max(found or _SEPARATORS, key=header.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    names = [name.strip() for name in next(rows, [])]
    if len({*names}) < len(names):
        raise ValueError(f"a column name occurs twice: {', '.join(names)}")
    columns: list[list[str]] = [[] for _ in names]
    for row in rows:
        if not any(row):  # Excel keeps rows that were emptied
            continue
        if len(row) == len(names):
            for column, value in zip(columns, row, strict=True):
                column.append(value)
        else:
            raise ValueError(f"line {rows.line_num} has {len(row)} fields instead of {len(names)}")
    return pa.table(columns, names=names)


def _texts(column: pa.ChunkedArray) -> pa.Array:
    """Values as text; null for missing and empty ones."""
    values = plain_values(column.combine_chunks())
    texts = [_text(value) for value in values.to_pylist()]
    return pa.array(texts, pa.string())


def _text(value: object) -> str | None:
    if isinstance(value, list):
        return SEVERAL.join(str(part) for part in value if part is not None) or None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float | decimal.Decimal):
        return number_as_text(value)  # pandas writes NaN for what is missing
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace") or None
    return None if value is None else str(value) or None


def _refuse_repeated(ids: Sequence[str], where: str) -> None:
    repeated = [id_ for id_, count in Counter(ids).items() if count > 1]
    if repeated:
        rows = [row for row, id_ in enumerate(ids, start=1) if id_ == repeated[0]]
        more = f", and {len(repeated) - 1:,} other IDs" if len(repeated) > 1 else ""
        raise UserError(
            f"{where}: the items {rows[0]} and {rows[1]} have the same ID {repeated[0]!r}{more}. "
            "Hint: keep one row per item."
        )
