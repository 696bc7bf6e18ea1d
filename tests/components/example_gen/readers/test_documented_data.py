"""The tables of docs/data.md: what they say is what the readers do."""

import bz2
import gzip
import io
import lzma
import re
import zipfile
from datetime import datetime, timezone
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from components.errors import UserError
from components.example_gen.readers.reader import read_interactions
from components.example_gen.readers.timestamps import parse_times
from components.example_gen.settings import DataSettings
from pipeline.config.config import load_config
from tests.support.documentation import ROOT

PAGE = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
MOMENT = 1_600_000_000_000_000


def table(first_column):
    """The rows of the table whose header begins so."""
    lines = PAGE.splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith(f"| {first_column} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def code(cell):
    return re.findall(r"`(.*?)`(?=<br>| `|$)", cell)


def read(content, settings=()):
    data = load_config(overrides=settings).data if settings else DataSettings()
    batches = list(read_interactions(io.BytesIO(content), "log", data))
    assert not [bad for batch in batches for bad in batch.bad]
    return [
        (user.decode(), item.decode(), time)
        for batch in batches
        for user, item, time in zip(batch.user.to_pylist(), batch.item.to_pylist(), batch.time.tolist(), strict=True)
    ]


@pytest.mark.parametrize(("name", "settings", "example"), table("format"), ids=[row[0] for row in table("format")])
def test_documented_format_gives_the_documented_rows(name, settings, example):
    content = "\n".join(code(example)) + "\n"
    rows = read(content.encode(), code(settings))
    has_times = "1600000000" in content
    assert rows == [("u1", "i1", MOMENT * has_times), ("u1", "i2", (MOMENT + 10**6) * has_times)]


PLAIN = b"user_id,item_id,timestamp\nu1,i1,1600000000\n"
ROWS = [("u1", "i1", MOMENT)]


def zipped(content):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("log.csv", content)
    return archive.getvalue()


COMPRESSIONS = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "zip": zipped,
}


def test_documented_compressions_are_read_and_their_damage_is_named():
    names = [row[0] for row in table("compression")]
    assert names == [*COMPRESSIONS]
    for name in names:
        compressed = COMPRESSIONS[name](PLAIN)
        assert read(compressed) == ROWS
        with pytest.raises(UserError, match=r"damaged or truncated.*Hint"):
            read(compressed[:-8])


@pytest.mark.parametrize(
    ("row", "encodings"),
    [
        ("UTF-8, with or without byte order mark", ["utf-8", "utf-8-sig"]),
        ("UTF-16", ["utf-16", "utf-16-le", "utf-16-be"]),
        ("Windows-1252", ["windows-1252"]),
        ("any other that Python knows", ["shift_jis"]),
    ],
)
def test_documented_encodings_give_the_same_ids(row, encodings):
    item = "花" if "other" in row else "é"
    (settings,) = [setting for name, setting in table("encoding") if name == row]
    text = PLAIN.decode().replace("i1", item)
    for encoding in encodings:
        assert read(text.encode(encoding), code(settings)) == [("u1", item, MOMENT)]


def test_documented_types_give_the_documented_ids():
    rows = table("type")
    assert len(rows) == 5
    columns = {
        "text, dictionaries, UTF-8 bytes": [
            *(
                lambda value, kind=kind: pa.array([value]).cast(kind)
                for kind in (pa.string(), pa.large_string(), pa.binary())
            ),
            lambda value: pa.array([value]).dictionary_encode(),
        ],
        "integers of any size": [
            lambda value, kind=kind: pa.array([int(value)], kind)
            for kind in (pa.int8(), pa.uint16(), pa.int64(), pa.uint64())
        ],
        "floats and decimals": [
            *(lambda value, kind=kind: pa.array([float(value)]).cast(kind) for kind in (pa.float32(), pa.float64())),
            lambda value: pa.array([Decimal(value)], pa.decimal128(10, 2)),
        ],
    }
    for kind, value, expected in rows[:-1]:
        (value,), (expected,) = code(value), code(expected)
        for column in columns[kind]:
            ids, sink = column(value), io.BytesIO()
            pq.write_table(pa.table({"user_id": ids, "item_id": ids, "timestamp": [1_600_000_000]}), sink)
            assert read(sink.getvalue()) == [(expected, expected, MOMENT)], ids.type


@pytest.mark.parametrize(("time", "time_format"), table("time"))
def test_documented_times_are_the_same_moment(time, time_format):
    micros, unreadable = parse_times(pa.array(code(time)), time_format.strip("`"))
    assert (micros.tolist(), unreadable.tolist()) == ([MOMENT], [False])
    assert datetime.fromtimestamp(MOMENT / 1e6, timezone.utc).isoformat() == "2020-09-13T12:26:40+00:00"


FILES = {
    "XLSX, ODS": None,
    "XLS": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "PDF": b"%PDF-1.7",
    "SQLite": b"SQLite format 3\0",
    "ORC": b"ORC\x11",
    "Avro": b"Obj\x01\x04",
    "Arrow, Feather": b"ARROW1\0\0",
    "HDF5": b"\x89HDF\r\n\x1a\n",
    "pickle": b"\x80\x04\x95\x1a",
    "7z": b"7z\xbc\xaf\x27\x1c\0\4",
    "tar": b"log.csv" + b"\0" * 250 + b"ustar\0",
    "HTML": b"\n<!DOCTYPE html><title>Log in</title>",
    "XML": b'<?xml version="1.0"?>',
    "JSON array": b'[\n  {"user_id": "u1"}]',
    "Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:1",
}


def test_documented_other_files_are_named():
    rows = table("file")
    assert [name for name, _ in rows] == [*FILES]
    for name, said in rows:
        content = FILES[name]
        if content is None:
            archive = io.BytesIO()
            with zipfile.ZipFile(archive, "w") as file:
                file.writestr("xl/workbook.xml", "")
            content = archive.getvalue()
        with pytest.raises(UserError, match=f"{code(said)[0]}.*Hint"):
            read(content)
