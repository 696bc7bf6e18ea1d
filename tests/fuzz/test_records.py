"""Records and fields of quoted text, against Python's csv module."""

import csv
import io

from hypothesis import assume, given
from hypothesis import strategies as st

from components.example_gen.readers import quotes
from components.example_gen.readers.records import split_records
from tests.fuzz.budget import budget

TEXTS = st.lists(st.sampled_from(['"', '""', ",", "\n", "a", "b ", '"a,b"', '"a\nb"', '","', '"\n']), max_size=14).map(
    "".join
)


def records(text, sizes):
    """Fields of each record, and the line where it begins; the text comes in chunks of these sizes."""
    content, chunks, start = text.encode(), [], 0
    for size in [*sizes, len(content)]:
        chunks.append(content[start : start + size])
        start += size
    found = []
    for part in split_records(iter([chunk for chunk in chunks if chunk]), b",", True, None, 1):
        newline, comma = part.stand_ins or (b"\0", b"\0")
        for index, line in enumerate(part.text.split(b"\n")[:-1]):
            fields = [field.replace(newline, b"\n").replace(comma, b",").decode() for field in line.split(b",")]
            found.append((int(part.line[index]), fields, index in part.unclosed))
    return found


@budget
@given(TEXTS, st.lists(st.integers(1, 9), max_size=4))
def test_well_formed_quotes_are_read_as_pythons_csv_module_does(text, sizes):
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    expected, line = [], 1
    try:
        for fields in reader:
            expected.append((line, fields or [""], False))
            line = reader.line_num + 1
    except csv.Error:
        assume(False)
    assert records(text, sizes) == expected


@budget
@given(TEXTS, st.lists(st.integers(1, 9), max_size=4), st.lists(st.integers(1, 9), max_size=4))
def test_any_quotes_are_read_alike_however_the_text_is_cut(text, sizes, others):
    assert records(text, sizes) == records(text, others)


@budget
@given(TEXTS)
def test_every_line_belongs_to_a_record(text):
    found = records(text, [])
    lines = [line for line, _, _ in found]
    assert lines == sorted(set(lines))
    assert not lines or lines[0] == 1


@budget
@given(TEXTS)
def test_the_fast_way_agrees_with_the_careful_one(text):
    careful = quotes._well_formed
    quick = records(text, [])
    quotes._well_formed = lambda *_: None
    try:
        assert records(text, []) == quick
    finally:
        quotes._well_formed = careful
