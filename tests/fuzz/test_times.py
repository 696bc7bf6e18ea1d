"""Times in every form, against integer arithmetic."""

from datetime import datetime, timedelta, timezone

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from components.example_gen.readers.timestamps import parse_times
from tests.fuzz.budget import budget

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
SECONDS = st.integers(10**8, 10**11 - 1)


@st.composite
def times(draw):
    """Text, and microseconds since 1970."""
    seconds = draw(SECONDS)
    form = draw(st.sampled_from(["number", "iso"]))
    digits = draw(st.text("0123456789", max_size=9))
    micros = int(digits.ljust(6, "0")[:6])
    if form == "number":
        power = draw(st.sampled_from([0, 3, 6, 9]))
        blank = draw(st.sampled_from(["", " "]))
        return f"{blank}{seconds}{digits.ljust(9, '0')[:power]}{blank}", seconds * 10**6 + int(
            digits.ljust(9, "0")[: min(power, 6)].ljust(6, "0")
        )
    offset = draw(st.sampled_from([None, "Z", " UTC", "z", (1, 0), (-5, 30), (14, 0), (-12, 0), (5, 45)]))
    minutes, suffix = 0, offset or ""
    if isinstance(offset, tuple):
        hours, rest = offset
        minutes = hours * 60 + (rest if hours >= 0 else -rest)
        colon = draw(st.sampled_from([":", ""]))
        suffix = f"{'+' if hours >= 0 else '-'}{abs(hours):02d}{colon}{rest:02d}"
    local = EPOCH + timedelta(seconds=seconds) + timedelta(minutes=minutes)
    between = draw(st.sampled_from(["T", " "]))
    point = draw(st.sampled_from([".", "."])) if digits else ""
    return local.strftime(f"%Y-%m-%d{between}%H:%M:%S") + point + digits + suffix, seconds * 10**6 + micros


@budget
@given(st.lists(times(), min_size=1, max_size=5), st.booleans())
def test_times_of_any_form_are_exact_beside_any_others(drawn, as_bytes):
    texts, expected = zip(*drawn, strict=True)
    column = pa.array(texts)
    micros, unreadable = parse_times(column.cast(pa.binary()) if as_bytes else column, "auto")
    assert micros.tolist() == list(expected)
    assert not unreadable.any()


@budget
@given(st.lists(st.text("0123456789-:TZ .+UTC", max_size=22) | times().map(lambda drawn: drawn[0]), max_size=4))
def test_text_is_read_the_same_alone_and_among_others(texts):
    micros, unreadable = parse_times(pa.array(texts, pa.string()), "auto")
    for text, value, bad in zip(texts, micros.tolist(), unreadable.tolist(), strict=True):
        alone, alone_bad = parse_times(pa.array([text]), "auto")
        assert (alone.tolist(), alone_bad.tolist()) == ([value], [bad])
