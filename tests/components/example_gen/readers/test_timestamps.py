from datetime import datetime, timezone

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.example_gen.readers.timestamps import parse_times


def parse(values, time_format="auto"):
    micros, unreadable = parse_times(pa.array(values), time_format)
    return micros.tolist(), unreadable.tolist()


@pytest.mark.parametrize(
    "text",
    [
        "978300760",
        "978300760.0",
        "978300760000",
        "2000-12-31T22:12:40Z",
        "2000-12-31 22:12:40",
        "2000-12-31T23:12:40+01:00",
    ],
)
def test_timestamp_formats_of_one_moment_are_equal(text):
    assert parse([text]) == ([978_300_760_000_000], [False])


def test_mixed_timestamp_formats_are_parsed_row_by_row():
    assert parse(["5", "1970-01-01T00:00:06Z", "soon", "nan", ""]) == (
        [5_000_000, 6_000_000, 0, 0, 0],
        [False, False, True, True, True],
    )


@settings(max_examples=50, deadline=None)
@given(st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)))
def test_iso_8601_keeps_microseconds(moment):
    expected = round(
        (moment.replace(tzinfo=timezone.utc) - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds() * 1e6
    )
    assert abs(parse([moment.isoformat()], "iso8601")[0][0] - expected) <= 1


def test_large_numbers_are_seconds_if_the_format_says_so():
    micros, unreadable = parse_times(pa.array([1e12, 3.0]), "seconds")
    np.testing.assert_array_equal(micros, [1e18, 3_000_000])
    assert not unreadable.any()
