"""The process that decodes Parquet."""

import contextlib
import io
import os
import random
import signal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.errors import UserError
from components.example_gen.readers import parquet_decoder
from components.example_gen.readers.parquet_decoder import NotParquetError, open_parquet
from components.example_gen.readers.reader import read_interactions
from components.example_gen.settings import DataSettings

TABLE = pa.table({"user_id": ["a", "b"], "item_id": [1, 2], "timestamp": [10, 20]})


def content(table=TABLE):
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def rows_of(stream, columns=("user_id", "item_id")):
    with open_parquet(stream) as opened:
        return [row for batch in opened.batches(columns) for row in batch.to_pylist()]


def test_file_and_stream_give_the_same_rows(tmp_path):
    (tmp_path / "log.parquet").write_bytes(content())
    with open(tmp_path / "log.parquet", "rb") as file:
        assert rows_of(file) == rows_of(io.BytesIO(content())) == TABLE.select(["user_id", "item_id"]).to_pylist()


def test_process_is_kept_for_the_next_file_and_replaced_after_damage():
    rows_of(io.BytesIO(content()))
    (kept,) = parquet_decoder._idle
    rows_of(io.BytesIO(content()))
    assert parquet_decoder._idle == [kept]
    with pytest.raises(NotParquetError):
        rows_of(io.BytesIO(content()[:-20] + b"PAR1"))
    assert parquet_decoder._idle == []
    assert kept.poll() is not None


def test_reader_that_stops_in_the_middle_leaves_no_process_behind():
    with pytest.raises(ValueError, match="stop"), open_parquet(io.BytesIO(content())) as opened:
        raise ValueError("stop")
    assert opened.child.poll() is not None
    assert opened.child not in parquet_decoder._idle


def test_crash_of_the_library_is_one_message():
    batches = read_interactions(io.BytesIO(content()), "log.parquet", DataSettings())
    rows_of(io.BytesIO(content()))
    os.kill(parquet_decoder._idle[-1].pid, signal.SIGSEGV)
    parquet_decoder._idle[-1].wait()
    with pytest.raises(UserError, match=r"^log\.parquet: not a readable Parquet file \(the Parquet library crashed"):
        list(batches)


def test_damage_never_ends_this_process():
    rng, table = random.Random(1), pa.table({"user_id": ["a", "b", "a"] * 5, "item_id": ["x", "y", "x"] * 5})
    table = table.set_column(0, "user_id", table["user_id"].dictionary_encode())
    for _ in range(8):
        damaged = bytearray(content(table))
        for _ in range(3):
            damaged[rng.randrange(4, len(damaged) - 8)] = rng.randrange(256)
        with contextlib.suppress(UserError):
            list(read_interactions(io.BytesIO(bytes(damaged)), "log", DataSettings(time_column=None)))
