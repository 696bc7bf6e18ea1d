import gzip
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.errors import UserError
from components.example_gen.readers.reader import read_interactions
from components.example_gen.settings import DataSettings


def read(content, name="log.csv", **settings):
    batches = list(read_interactions(io.BytesIO(content), name, DataSettings(**settings)))
    rows = [
        (user.decode(), item.decode(), time // 1_000_000, row)
        for batch in batches
        for user, item, time, row in zip(
            batch.user.to_pylist(), batch.item.to_pylist(), batch.time.tolist(), batch.row.tolist(), strict=True
        )
    ]
    return rows, [bad for batch in batches for bad in batch.bad], sum(batch.filtered for batch in batches)


CSV = b"user_id,item_id,timestamp\na,x,1\nb,y,2\n"
ROWS = [("a", "x", 1, 2), ("b", "y", 2, 3)]


@pytest.mark.parametrize(
    ("content", "settings"),
    [
        (CSV, {}),
        (CSV.replace(b"\n", b"\r\n"), {}),
        (b"\xef\xbb\xbf" + CSV, {}),
        (CSV.rstrip(b"\n"), {}),
        (gzip.compress(CSV, mtime=0), {}),
        (CSV.replace(b",", b"\t"), {"separator": "\t"}),
        (CSV.replace(b",", b"::"), {"separator": "::"}),
        (b"\n".join(b",".join(reversed(line.split(b","))) for line in CSV.split(b"\n")), {}),
        (b'user_id,item_id,timestamp\n"a",x,1\nb,"y",2\n', {}),
    ],
    ids=[
        "plain",
        "windows line ends",
        "byte order mark",
        "no last line end",
        "gzip",
        "tabs",
        "colons",
        "order",
        "quotes",
    ],
)
def test_text_dialects_give_the_same_rows(content, settings):
    assert read(content, **settings)[:2] == (ROWS, [])


def test_file_without_header_takes_its_columns_from_the_settings():
    settings = {"header": False, "columns": ["user_id", "item_id", "rating", "timestamp"], "separator": "::"}
    assert read(b"a::x::5::1\n", **settings)[0] == [("a", "x", 1, 1)]


@pytest.mark.parametrize("compress", [False, True])
def test_parquet_with_numeric_ids_gives_them_as_text(compress):
    table = pa.table({"user_id": [1.0, 2.0], "item_id": [7, 8], "timestamp": pa.array([5, 6], pa.timestamp("s"))})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    content = gzip.compress(sink.getvalue()) if compress else sink.getvalue()
    assert read(content, "log.parquet.gz" if compress else "log.parquet")[0] == [("1", "7", 5, 1), ("2", "8", 6, 2)]


def test_bad_row_is_kept_with_row_number_reason_text():
    content = b"user_id,item_id,timestamp\n,x,1\na,x\n\xff,x,1\n\na,x,soon\na, ,1\na,x,1\n"
    rows, bad, _ = read(content)
    assert rows == [("a", "x", 1, 8)]
    assert [(row.row, row.reason, row.raw) for row in bad] == [
        (2, "blank `user_id`", ",x,1"),
        (3, "2 fields instead of 3", "a,x"),
        (4, "bytes that are not UTF-8", "\\xff,x,1"),
        (6, "unreadable time in `timestamp`: 'soon'", "a,x,soon"),
        (7, "blank `item_id`", "a, ,1"),
    ]


def test_filtered_rows_are_counted():
    content = b"user_id,item_id,timestamp,rating,event\na,x,1,5,buy\na,y,2,3,buy\na,z,3,5,view\n"
    settings = {"rating_column": "rating", "min_rating": 4, "event_column": "event", "events": ["buy"]}
    rows, bad, filtered = read(content, **settings)
    assert (len(rows), bad, filtered) == (1, [], 2)


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        (CSV, {"user_column": "userId"}, "--set data.user_column=user_id"),
        (CSV.replace(b",", b";"), {}, "--set data.separator=';'"),
        (gzip.compress(CSV * 1000, mtime=0)[:-20], {}, "truncated"),
        (b'{\n "user_id": 1\n}\n', {}, "no line is a JSON object.*jq -c"),
        (b"a,b\n1,2\n", {}, "column `user_id` not found"),
        (b"user_id,item_id,time\na,b,1\n", {}, "--set data.time_column=time"),
        (b"1\t7\t5\t88\n", {"separator": "\\t"}, "if the file has no header, use --set data.header=false"),
        (b"1\t7\t5\t88\n", {}, "data.separator='.t'.*no header"),
    ],
)
def test_unreadable_file_is_an_error_with_a_hint(content, settings, message):
    with pytest.raises(UserError, match=message.replace("[", r"\[").replace("(", r"\(")):
        read(content, **settings)


def test_damaged_parquet_file_is_a_user_error():
    with pytest.raises(UserError, match="not a readable Parquet file"):
        read(b"PAR1\x15\x04 nonsense", "log.parquet")


@pytest.mark.parametrize("name", ["ORCID", "PARENT", "PAR1", "RDX", "FEA1", "ARROW1", "BZh9", "X"])
def test_header_that_begins_like_another_format_is_text(name):
    content = (
        CSV.replace(b"user_id", f"{name},user_id".encode()).replace(b"\na,", b"\n1,a,").replace(b"\nb,", b"\n2,b,")
    )
    assert read(content)[:2] == (ROWS, [])
