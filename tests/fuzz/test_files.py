import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from components.errors import UserError
from components.example_gen.readers import compression
from components.example_gen.readers.quarantine import to_csv
from components.example_gen.readers.reader import read_interactions
from components.example_gen.settings import DataSettings
from tests.fuzz import interaction_files as files
from tests.fuzz.budget import budget
from tests.fuzz.interaction_files import File, Row
from tests.fuzz.parquet_files import any_parquet, parquet


def read(content, settings, name="log"):
    """Rows, number of malformed rows, number of rows read."""
    batches = list(read_interactions(io.BytesIO(content), name, DataSettings(**settings)))
    rows = [
        Row(user.decode(), item.decode(), time)
        for batch in batches
        for user, item, time in zip(batch.user.to_pylist(), batch.item.to_pylist(), batch.time.tolist(), strict=True)
    ]
    bad = [row for batch in batches for row in batch.bad]
    assert len(list(csv.reader(io.StringIO(to_csv(bad))))) == 1 + len(bad)
    return rows, len(bad), sum(batch.rows_read for batch in batches)


def check(file: File):
    rows, bad, rows_read = read(file.content, file.settings)
    assert rows == file.rows
    assert bad == file.bad
    assert rows_read == len(rows) + bad


@budget
@given(files.delimited(), st.sampled_from([compression.CHUNK_BYTES, 1600]))
def test_delimited_text_in_any_dialect_gives_its_rows(file, chunk_bytes):
    former = compression.CHUNK_BYTES
    compression.CHUNK_BYTES = chunk_bytes
    try:
        check(file)
    finally:
        compression.CHUNK_BYTES = former


@budget
@given(files.delimited(damaged=True))
def test_damaged_row_costs_no_other_row(file):
    check(file)


@budget
@given(files.json_lines())
def test_json_lines_give_their_rows(file):
    check(file)


@budget
@given(files.recbole())
def test_recbole_files_give_their_rows(file):
    check(file)


@budget
@given(files.sequences())
def test_sequences_give_one_row_per_item(file):
    check(file)


@budget
@given(parquet())
def test_parquet_of_any_column_types_gives_its_rows(file):
    check(file)


def check_answer(content: bytes, settings: dict):
    """Every row is counted, or one message says what is wrong with the file."""
    refusal = None
    try:
        rows, bad, rows_read = read(content, settings)
    except UserError as error:
        refusal = str(error)
    if refusal is None:
        assert rows_read >= len(rows) + bad
        assert "events" in settings or rows_read == len(rows) + bad
    else:
        assert "Hint" in refusal
        assert len(refusal.splitlines()) <= 2
        assert refusal.replace("\n", "").replace("\t", "").isprintable()


ANY_FILE = st.one_of(
    files.delimited(), files.json_lines(), files.recbole(), files.sequences(), parquet(), files.delimited(True)
)


@budget
@given(ANY_FILE, st.data())
def test_damaged_file_is_read_or_refused_in_one_message(file, data):
    content = bytearray(file.content)
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, max(len(content) - 1, 0)))
        kind = data.draw(st.sampled_from(["change", "cut", "insert", "drop"]))
        if kind == "change" and content:
            content[position] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del content[position:]
        elif kind == "insert":
            content[position:position] = data.draw(st.binary(max_size=4) | st.sampled_from([b'"', b"\n", b"\r", b"\0"]))
        else:
            del content[position : position + 1]
    check_answer(bytes(content), file.settings)


FILTERS = {"rating_column": "rating", "min_rating": 1, "event_column": "event", "events": ["1"]}


@budget
@given(any_parquet(), st.sampled_from([{}, FILTERS]), st.sampled_from(["auto", "seconds", "iso8601", "%Y"]))
def test_parquet_of_any_type_is_read_or_refused_in_one_message(content, filters, time_format):
    check_answer(content, {**filters, "time_format": time_format})


@budget
@given(st.binary(max_size=600), st.sampled_from(["auto", "csv", "jsonl", "parquet", "sequences"]))
def test_any_bytes_are_read_or_refused_in_one_message(content, file_format):
    check_answer(content, {"format": file_format, "header": False, "columns": files.HEADER})
