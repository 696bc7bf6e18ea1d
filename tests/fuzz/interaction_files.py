"""Text files in every dialect, encoding and compression, with a plain model of what is in them."""

import bz2
import csv
import gzip
import io
import json
import lzma
import string
import zipfile
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

import zstandard
from hypothesis import strategies as st

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
HEADER = ["user_id", "item_id", "timestamp"]


class Row(NamedTuple):
    """An interaction: microseconds since 1970."""

    user: str
    item: str
    micros: int


class File(NamedTuple):
    """Bytes, the settings that read them, the rows in order, and the lines of malformed rows."""

    content: bytes
    settings: dict
    rows: list[Row]
    bad: int = 0


_EDGES = st.text(string.ascii_letters + string.digits + "äß漢", min_size=1, max_size=3)
_INSIDE = st.text(string.ascii_letters + string.digits + " .-_/'\"#é漢;,|", max_size=6)
IDS = st.builds(lambda a, b, c: a + b + c, _EDGES, _INSIDE, _EDGES)
NUMBERS = st.integers(0, 2**53 - 1).map(str)
# Whole seconds from 1973, so that every unit recognises its own numbers.
SECONDS = st.integers(10**8, 4 * 10**9)
_BLANKS = st.sampled_from(["", "", "", " ", "  "])
_TITLES = st.text(string.ascii_letters + " ,;|\t\"'é漢\n", max_size=12)


def _iso(seconds: int) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


TIMES = {
    "seconds": str,
    "milliseconds": lambda s: f"{s}000",
    "microseconds": lambda s: f"{s}000000",
    "nanoseconds": lambda s: f"{s}000000000",
    "float": lambda s: f"{s}.0",
    "iso": lambda s: _iso(s).strftime("%Y-%m-%dT%H:%M:%S"),
    "iso blank": lambda s: _iso(s).strftime("%Y-%m-%d %H:%M:%S"),
    "iso z": lambda s: _iso(s).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "iso utc": lambda s: _iso(s).strftime("%Y-%m-%d %H:%M:%S UTC"),
    "iso 9 digits": lambda s: _iso(s).strftime("%Y-%m-%dT%H:%M:%S.000000000Z"),
    "iso offset": lambda s: (_iso(s) + timedelta(hours=5, minutes=30)).strftime("%Y-%m-%dT%H:%M:%S+05:30"),
    "iso mixed": lambda s: str(s) if s % 2 else _iso(s).strftime("%Y-%m-%dT%H:%M:%S.0000000Z"),
    "pattern": lambda s: _iso(s).strftime("%d/%m/%Y %H:%M:%S"),
}

COMPRESSIONS = {
    "none": lambda content: content,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda content: zstandard.ZstdCompressor().compress(content),
    "zstd frames": lambda content: b"".join(
        zstandard.ZstdCompressor().compress(part) for part in (content[:7], content[7:])
    ),
    "zip": lambda content: _zipped(content),
}


def _zipped(content: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("folder/log.csv", content)
    return archive.getvalue()


@st.composite
def rows(draw: st.DrawFn, ids: st.SearchStrategy[str] = IDS, min_size: int = 0) -> list[Row]:
    """Some interactions of whole seconds."""
    triples = draw(st.lists(st.tuples(ids, ids, SECONDS), min_size=min_size, max_size=12))
    return [Row(user, item, seconds * 10**6) for user, item, seconds in triples]


@st.composite
def delimited(draw: st.DrawFn, damaged: bool = False) -> File:
    """A text file; with damage, some rows are malformed."""
    separator = draw(st.sampled_from([",", ";", "\t", "|", "::", " "]))
    style = draw(st.sampled_from(["minimal", "all", "none"] if len(separator) == 1 else ["none"]))
    plain = style == "none" or damaged
    ids = st.text(string.ascii_letters + "é漢", min_size=1, max_size=4) if plain else IDS
    interactions = draw(rows(ids, min_size=1))
    form = draw(st.sampled_from([*TIMES]))
    if separator == " " and style == "none":
        form = "seconds"
    settings = {"separator": separator}
    if form == "pattern":
        settings["time_format"] = "%d/%m/%Y %H:%M:%S"
    if style != "none" and separator == "\t":
        settings["quoting"] = "csv"
    with_title = not plain and draw(st.booleans())
    columns = draw(st.permutations([*HEADER, *(["title"] if with_title else [])]))
    newline = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    records = [columns]
    for row in interactions:
        blank = "" if separator == " " else draw(_BLANKS)
        values = {
            "user_id": f"{blank}{row.user}{blank}" if style != "all" else row.user,
            "item_id": row.item,
            "timestamp": TIMES[form](row.micros // 10**6),
            "title": draw(_TITLES) if with_title else "",
        }
        records.append([values[column] for column in columns])
    lines = [_line(record, separator, style, newline) for record in records]
    bad = 0
    if damaged:
        lines, interactions, bad = draw(_damage(lines, interactions, columns, separator, style, newline))
    lines, more = draw(_decorations(lines, separator, newline, damaged))
    text = "".join(lines)
    if draw(st.booleans()):
        text = text.removesuffix(newline)
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "utf-16-be"]))
    if encoding == "cp1252" and not _fits(text, encoding):
        encoding = "utf-8"
    content = text.encode(encoding)
    if encoding in ("cp1252", "utf-16-le", "utf-16-be"):
        settings["encoding"] = encoding
    content = COMPRESSIONS[draw(st.sampled_from([*COMPRESSIONS]))](content)
    return File(content, settings | more, interactions, bad)


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _line(record: list[str], separator: str, style: str, newline: str) -> str:
    if style == "none":
        return separator.join(record) + newline
    text = io.StringIO()
    quoting = csv.QUOTE_ALL if style == "all" else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=separator, quoting=quoting, lineterminator="\n").writerow(record)
    return text.getvalue().removesuffix("\n").replace("\n", newline) + newline


@st.composite
def _damage(draw, lines, interactions, columns, separator, style, newline):
    """Damages some rows; none of them affects another."""
    kinds = ["few fields", "blank user", "time", "NUL"]
    if style == "minimal" and separator != "\t":
        kinds.append("stray quote")
    elif style == "none":
        kinds.append("literal quote")
    kept, result, bad = [], lines[:1], 0
    for line, row in zip(lines[1:], interactions, strict=True):
        kind = draw(st.sampled_from(["none", *kinds]))
        fields = line.removesuffix(newline).split(separator)
        if kind == "none" or len(fields) != len(columns):
            result.append(line)
            kept.append(row)
            continue
        bad += 1
        if kind == "few fields":
            fields = fields[:1]
        elif kind == "blank user":
            fields[columns.index("user_id")] = '""' if style == "all" else ""
        elif kind == "time":
            fields[columns.index("timestamp")] = '"soon"' if style == "all" else "soon"
        elif kind == "NUL":
            fields[0] = fields[0][:1] + "\0" + fields[0][1:]
        elif kind == "stray quote":
            fields[columns.index("user_id")] = '"' + fields[columns.index("user_id")].strip()
        else:
            index = columns.index("item_id")
            fields[index] = fields[index] + '"x'
            # With one character as separator, `auto` parses quotes, but only at the start of a field.
            bad -= 1
            kept.append(row._replace(item=row.item + '"x'))
        result.append(separator.join(fields) + newline)
    return result, kept, bad


@st.composite
def _decorations(draw, lines, separator, newline, damaged):
    """Lines that are no rows: blank ones, comments, Excel's first line; and a separator at the end of rows."""
    more = {}
    if draw(st.booleans()) and separator != " ":
        lines = [lines[0], *(line.removesuffix(newline) + separator + newline for line in lines[1:])]
        # The damaged row may get enough fields, which stay blank.
    if not damaged and draw(st.booleans()):
        more["comment"] = "#!"
        positions = draw(st.sets(st.integers(0, len(lines)), max_size=3))
        lines = [
            part
            for index, line in enumerate([*lines, ""])
            for part in ([f'#! a "comment{newline}'] if index in positions else []) + [line]
        ]
    if draw(st.booleans()):
        lines = [part for line in lines for part in (line, newline)]
    if separator in (";", ",", "|") and "comment" not in more and draw(st.booleans()):
        lines = [f"sep={separator}{newline}", *lines]
        more["separator"] = ","
    return lines, more


@st.composite
def json_lines(draw: st.DrawFn) -> File:
    """JSON lines with ids as text or numbers."""
    as_numbers = draw(st.booleans())
    interactions = draw(rows(NUMBERS if as_numbers else IDS, min_size=1))
    number = draw(st.sampled_from([int, float])) if as_numbers else str
    lines = [
        json.dumps(
            {
                "user_id": number(row.user),
                "x": {"y": [1]},
                "item_id": number(row.item),
                "timestamp": row.micros // 10**6,
            },
            ensure_ascii=draw(st.booleans()),
        )
        for row in interactions
    ]
    content = ("\n".join(lines) + draw(st.sampled_from(["", "\n", "\r\n"]))).encode()
    return File(COMPRESSIONS[draw(st.sampled_from([*COMPRESSIONS]))](content), {}, interactions)


@st.composite
def recbole(draw: st.DrawFn) -> File:
    """RecBole's `.inter`."""
    interactions = draw(rows(st.text(string.ascii_letters, min_size=1, max_size=4), min_size=1))
    lines = ["user_id:token\titem_id:token\trating:float\ttimestamp:float"]
    lines += [f"{row.user}\t{row.item}\t5.0\t{row.micros / 1e6}" for row in interactions]
    return File("\n".join(lines).encode(), {}, interactions)


@st.composite
def sequences(draw: st.DrawFn) -> File:
    """One user per line."""
    words = st.text(string.ascii_letters + "é漢", min_size=1, max_size=4)
    users = draw(st.lists(st.tuples(words, st.lists(words, min_size=1, max_size=5)), min_size=1, max_size=8))
    separator = draw(st.sampled_from([" ", "\t", "  "]))
    content = "\n".join(separator.join([user, *items]) for user, items in users).encode()
    interactions = [Row(user, item, 0) for user, items in users for item in items]
    return File(COMPRESSIONS[draw(st.sampled_from([*COMPRESSIONS]))](content), {"format": "sequences"}, interactions)
