"""Which files the latest spans of a pattern are."""

import datetime

import pytest

from components.errors import UserError
from components.example_gen.inputs.spans import files_to_read, latest_spans


def write(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")


def names(folder, found):
    return [file.removeprefix(f"{folder}/") for file in found.files]


@pytest.mark.parametrize(
    ("pattern", "files", "spans", "newest", "expected"),
    [
        ("day-{SPAN}.csv", ["day-1.csv", "day-2.csv", "day-10.csv"], 2, 10, ["day-2.csv", "day-10.csv"]),
        ("day-{SPAN}.csv", ["day-1.csv", "day-2.csv"], 5, 2, ["day-1.csv", "day-2.csv"]),
        ("{SPAN:3}/*.csv", ["001/a.csv", "002/a.csv", "002/b.csv"], 1, 2, ["002/a.csv", "002/b.csv"]),
        # A span may be a directory, and its files at any depth.
        ("day-{SPAN}", ["day-1/a.csv", "day-2/x/b.csv"], 1, 2, ["day-2/x/b.csv"]),
        ("day-{SPAN}/**/*.csv", ["day-1/a.csv", "day-2/x/b.csv"], 1, 2, ["day-2/x/b.csv"]),
        # The highest version of each span.
        (
            "{SPAN}/v{VERSION}/a.csv",
            ["1/v9/a.csv", "1/v10/a.csv", "2/v1/a.csv"],
            2,
            2,
            ["1/v10/a.csv", "2/v1/a.csv"],
        ),
        ("log-[ab]{SPAN}.csv", ["log-a1.csv", "log-b2.csv"], 1, 2, ["log-b2.csv"]),
    ],
)
def test_latest_spans_are_those_of_the_highest_numbers(pattern, files, spans, newest, expected, tmp_path):
    write(tmp_path, *files)
    found = latest_spans(str(tmp_path / pattern), spans)
    assert (found.newest, names(tmp_path, found)) == (newest, expected)


def test_dates_are_spans_too(tmp_path):
    write(tmp_path, "2024-01-31.csv", "2024-02-01.csv", "2023-12-31.csv")
    found = latest_spans(str(tmp_path / "{YYYY}-{MM}-{DD}.csv"), 2)
    assert names(tmp_path, found) == ["2024-01-31.csv", "2024-02-01.csv"]
    assert found.newest == (datetime.date(2024, 2, 1) - datetime.date(1970, 1, 1)).days


@pytest.mark.parametrize(("last_spans", "expected"), [(None, ["2.csv"]), (2, ["1.csv", "2.csv"])])
def test_pattern_stands_for_its_latest_span_unless_set(last_spans, expected, tmp_path):
    write(tmp_path, "1.csv", "2.csv")
    files = files_to_read(str(tmp_path / "{SPAN}.csv"), last_spans)
    assert [file.removeprefix(f"{tmp_path}/") for file in files] == expected
    assert files_to_read(str(tmp_path / "1.csv"), last_spans) == [str(tmp_path / "1.csv")]


def test_span_that_arrives_later_is_ignored(tmp_path):
    write(tmp_path, "1.csv", "2.csv", "3.csv")
    assert names(tmp_path, latest_spans(str(tmp_path / "{SPAN}.csv"), 2, newest=2)) == ["1.csv", "2.csv"]


@pytest.mark.parametrize(
    ("pattern", "file"), [("day-{SPAN}.csv", "day-old.csv"), ("{YYYY}-{MM}-{DD}.csv", "2024-02-30.csv")]
)
def test_file_without_a_span_in_its_name_is_named(pattern, file, tmp_path):
    write(tmp_path, file)
    with pytest.raises(UserError, match=f"no span can be found in .*{file}"):
        latest_spans(str(tmp_path / pattern), 2)
