"""The same Examples come out whatever the files, their compression and the number of workers."""

from __future__ import annotations

import gzip
import json

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.example_gen.beam_pipeline import write_examples
from components.example_gen.inputs.input_files import input_files
from components.example_gen.raw_examples import read_split
from components.example_gen.settings import DataSettings, HistorySettings, SplitSettings
from components.features import SPLITS
from tests.support.interaction_log import rows, write


def run(pattern, folder, arguments=("--direct_running_mode=in_memory",), shards=None):
    splits = {name: str(folder / f"Split-{name}") for name in SPLITS}
    with beam.Pipeline(argv=["--runner=FnApiRunner", *arguments]) as pipeline:
        write_examples(
            pipeline,
            input_files(str(pattern)),
            DataSettings(shards=shards),
            HistorySettings(min_item_interactions=3, max_user_interactions=12),
            SplitSettings(),
            splits,
            counts_dir=str(folder),
            quarantine_dir=str(folder),
        )
    counts = json.loads((folder / "counts.json").read_text())
    del counts["files"]
    return {name: list(read_split(uri).as_numpy_iterator()) for name, uri in splits.items()}, counts


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


def test_shards_spread_the_same_examples_over_files(reference, tmp_path):
    (examples, counts), data = reference, write(tmp_path / "log.csv", rows())
    actual, actual_counts = run(data, tmp_path / "five", shards=5)
    assert {name: sorted(users) for name, users in actual.items()} == {
        name: sorted(users) for name, users in examples.items()
    }
    assert actual_counts == counts
    names = [f"data_tfrecord-0000{shard}-of-00005.gz" for shard in range(5)]
    for name in SPLITS:
        assert sorted(file.name for file in (tmp_path / "five" / f"Split-{name}").iterdir()) == names


def test_shards_without_users_are_empty_files(tmp_path):
    examples, _ = run(write(tmp_path / "log.csv", rows()[:200]), tmp_path, shards=100)
    assert len(list((tmp_path / "Split-train").iterdir())) == 100
    assert examples["train"]


@pytest.mark.long
def test_two_workers_give_the_same_examples(reference, tmp_path):
    data = write(tmp_path / "log.csv", rows())
    workers = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
    assert run(data, tmp_path, workers) == reference
