"""What is said about bad rows: where, why, what was there, and a setting that helps."""

import csv
import io

import pytest

from components.errors import UserError
from components.example_gen.readers.quarantine import BadRow, check_bad_row_fraction, hint_for, to_csv
from components.example_gen.readers.reader import read_interactions
from components.example_gen.settings import DataSettings

HEADER = b"user_id,item_id,timestamp\n"


def first_bad(content, **settings):
    data = DataSettings(**settings)
    batches = read_interactions(io.BytesIO(content), "log.csv", data)
    return next(bad for batch in batches for bad in batch.bad), data


@pytest.mark.parametrize(
    ("content", "settings", "row", "reason", "hint"),
    [
        (HEADER + b"u,i,13/09/2020 12:26\n", {}, 2, "unreadable time", "'data.time_format=%d/%m/%Y %H:%M'"),
        (HEADER + b"u,i,09/13/2020\n", {}, 2, "unreadable time", "data.time_format=%m/%d/%Y (is the first"),
        (HEADER + b"u,i,soon\n", {}, 2, "'soon'", "with the pattern of your times"),
        (HEADER + b"u,i,1600000000\n", {"time_format": "iso8601"}, 2, "'1600000000'", "--set data.time_format=auto"),
        (
            HEADER + b"u,i,1\n",
            {"header": False, "columns": ["user_id", "item_id", "timestamp"]},
            1,
            "",
            "data.header=true",
        ),
        (HEADER + b"u\xe9,i,1\n", {}, 2, "not UTF-8", "data.encoding=windows-1252"),
        (HEADER + b'u,i,1\n\nu,"i,2\nu,j,3\n', {}, 4, "the quote opened in line 4", "data.quoting=none"),
        (b'user_id\titem_id\ttimestamp\nu\t"i\tx"\t3\n', {"separator": "\t"}, 2, "4 fields", "data.quoting=csv"),
        (b"u;i;1\n", {"header": False, "columns": ["user_id", "item_id", "timestamp"]}, 1, "1 fields", "separator=';'"),
    ],
)
def test_bad_row_has_a_reason_and_a_setting_that_helps(content, settings, row, reason, hint):
    bad, data = first_bad(content, **settings)
    assert bad.row == row
    assert reason in bad.reason
    assert hint in hint_for(bad, data)


@pytest.mark.parametrize(
    ("content", "settings"),
    [
        (HEADER + b"u,i,13/09/2020 12:26\n", {"time_format": "%d/%m/%Y %H:%M"}),
        (HEADER + b"u\xe9,i,1\n", {"encoding": "windows-1252"}),
        (HEADER + b'u,"i,2\n', {"quoting": "none"}),
        (b'user_id\titem_id\ttimestamp\nu\t"i\tx"\t3\n', {"separator": "\t", "quoting": "csv"}),
    ],
)
def test_the_setting_of_the_hint_reads_the_row(content, settings):
    batches = list(read_interactions(io.BytesIO(content), "log.csv", DataSettings(**settings)))
    assert sum(len(batch.time) for batch in batches) == 1
    assert not any(batch.bad for batch in batches)


def test_stray_quote_costs_its_own_line_only():
    content = HEADER + b'u,"i,1\nu,j,2\nu,"k, l",3\nu,m,4\n'
    batches = list(read_interactions(io.BytesIO(content), "log.csv", DataSettings()))
    assert [(bad.row, bad.raw) for batch in batches for bad in batch.bad] == [(2, 'u,"i,1')]
    assert [item for batch in batches for item in batch.item.to_pylist()] == [b"j", b"k, l", b"m"]


def test_file_of_bad_rows_keeps_every_row_as_one_record():
    bad = [BadRow("log.csv", 3, "NUL bytes", "u\\x00,i"), BadRow("log.csv", 2, "x", 'a "quoted", row')]
    assert list(csv.reader(io.StringIO(to_csv(bad)))) == [[*BadRow._fields], *([*map(str, row)] for row in sorted(bad))]


def test_too_many_bad_rows_name_the_fraction_that_would_pass():
    bad = [BadRow("log.csv", row, "NUL bytes", "x") for row in range(5)]
    with pytest.raises(UserError, match=r"(?s)5 of 100 rows .*max_bad_row_fraction=0\.053") as error:
        check_bad_row_fraction(bad, 100, DataSettings(max_bad_row_fraction=0.04), "bad_rows.csv")
    assert len(str(error.value).splitlines()) == 8
    check_bad_row_fraction(bad, 100, DataSettings(max_bad_row_fraction=0.053), "bad_rows.csv")
