"""The same log in another form and by another runner: the same model and metrics."""

from __future__ import annotations

import json

import pytest

from tests.support.cli import caser, run_arguments
from tests.support.interaction_log import LATEST_SPAN, rows, write_spans

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("run")]


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Metrics of a run by BeamDagRunner over a span of three gzipped files; its Examples are in three shards."""
    folder = tmp_path_factory.mktemp("other")
    arguments = run_arguments(write_spans(folder), folder / "out", "data.shards=3")
    done = caser(*arguments, "--orchestrator", "beam")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "out" / "metrics.json").read_text())


def test_run_reads_all_files_of_the_latest_span(other):
    assert [file.rpartition("/")[2] for file in other["counts"]["files"]] == LATEST_SPAN
    assert other["counts"]["rows_read"] == len(rows())


def test_metrics_are_equal_bits_whatever_the_files_the_shards_and_the_runner(other, finished):
    reference = json.loads((finished / "metrics.json").read_text())
    assert other["states"].keys() == reference["states"].keys()
    for name in ("test", "caser", "sequential_rules", "neighbours", "popularity", "slices"):
        assert other[name] == reference[name], name
    del other["counts"]["files"], reference["counts"]["files"]
    assert other["counts"] == reference["counts"]
