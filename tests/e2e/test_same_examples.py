"""The same Examples come out whatever the files, their compression and the number of workers."""

from __future__ import annotations

import gzip
import json

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from components.example_gen import beam_pipeline
from components.example_gen.input_files import input_files
from components.example_gen.settings import DataSettings, HistorySettings, SplitSettings
from tests.support.interaction_log import rows, write


def run(pattern, folder, arguments=("--direct_running_mode=in_memory",)):
    with beam.Pipeline(argv=["--runner=FnApiRunner", *arguments]) as pipeline:
        splits = beam_pipeline.examples(
            pipeline,
            input_files(str(pattern)),
            DataSettings(),
            HistorySettings(min_item_interactions=3, max_user_interactions=12),
            SplitSettings(),
            counts_dir=str(folder),
            quarantine_dir=str(folder),
        )
        for name, examples in splits.items():
            _ = examples | f"Write{name}" >> beam.io.WriteToTFRecord(str(folder / name))
    counts = json.loads((folder / "counts.json").read_text())
    del counts["files"]
    actual = {
        name: sorted(tf.data.TFRecordDataset(sorted(map(str, folder.glob(f"{name}-*")))).as_numpy_iterator())
        for name in splits
    }
    return actual, counts


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    return run(write(folder / "log.csv", rows()), folder)


def test_examples_have_every_split(reference):
    actual, counts = reference
    assert {name: len(examples) for name, examples in actual.items()} == counts["split_users"]
    assert counts["rows_read"] == len(rows())


def test_gzipped_files_give_the_same_examples(reference, tmp_path):
    lines = rows()
    for part in range(3):
        start, end = (len(lines) * edge // 3 for edge in (part, part + 1))
        plain = write(tmp_path / f"log-{part}.csv", lines[start:end])
        (tmp_path / f"log-{part}.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    assert run(tmp_path / "*.gz", tmp_path) == reference


def test_parquet_gives_the_same_examples(reference, tmp_path):
    columns = zip(*rows(), strict=True)
    table = pa.table(dict(zip(("user_id", "item_id", "timestamp"), map(list, columns), strict=True)))
    pq.write_table(table, tmp_path / "log.parquet", row_group_size=500)
    assert run(tmp_path / "log.parquet", tmp_path) == reference


def test_two_workers_give_the_same_examples(reference, tmp_path):
    data = write(tmp_path / "log.csv", rows())
    workers = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
    assert run(data, tmp_path, workers) == reference
