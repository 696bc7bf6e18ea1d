"""The same log in another form, by another runner and with more workers: the same model and metrics."""

from __future__ import annotations

import gzip
import json

import pytest

from tests.support.cli import caser, run_arguments
from tests.support.interaction_log import rows, write

pytestmark = pytest.mark.xdist_group("run")


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Metrics of a run by BeamDagRunner with two workers, over a span of three gzipped files, newest rows first.

    Its Examples are in three shards.
    """
    folder = tmp_path_factory.mktemp("other")
    lines = rows()
    write(folder / "span-1-old.csv", lines[:50])
    for part in range(3):
        plain = write(folder / "part.csv", lines[part::3][::-1])
        (folder / f"span-2-{part}.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    arguments = run_arguments(folder / "span-{SPAN}-*", folder / "out")
    workers = ("--beam-arg=--direct_running_mode=multi_threading", "--beam-arg=--direct_num_workers=2")
    done = caser(*arguments, "--set", "data.shards=3", "--orchestrator", "beam", *workers)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "out" / "metrics.json").read_text())


def test_run_reads_all_files_of_the_latest_span(other):
    assert [file.rpartition("/")[2] for file in other["counts"]["files"]] == [f"span-2-{n}.csv.gz" for n in range(3)]
    assert other["counts"]["rows_read"] == len(rows())


def test_metrics_are_equal_bits_whatever_the_files_the_shards_and_the_runner(other, finished):
    reference = json.loads((finished / "metrics.json").read_text())
    assert other["states"].keys() == reference["states"].keys()
    for name in ("test", "caser", "sequential_rules", "neighbours", "popularity", "slices"):
        assert other[name] == reference[name], name
    del other["counts"]["files"], reference["counts"]["files"]
    assert other["counts"] == reference["counts"]
