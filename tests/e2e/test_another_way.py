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
    """Metrics of a run by BeamDagRunner with two workers, over a span of three gzipped files, newest rows first."""
    folder = tmp_path_factory.mktemp("other")
    lines = rows()
    write(folder / "span-1-old.csv", lines[:50])
    for part in range(3):
        plain = write(folder / "part.csv", lines[part::3][::-1])
        (folder / f"span-2-{part}.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    arguments = run_arguments(folder / "span-{SPAN}-*", folder / "out")
    workers = ("--beam-arg=--direct_running_mode=multi_threading", "--beam-arg=--direct_num_workers=2")
    done = caser(*arguments, "--orchestrator", "beam", *workers)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "out" / "metrics.json").read_text())


def test_the_newest_span_is_read_and_all_its_files(other):
    assert [file.rpartition("/")[2] for file in other["counts"]["files"]] == [f"span-2-{n}.csv.gz" for n in range(3)]
    assert other["counts"]["rows_read"] == len(rows())


def test_files_runner_and_workers_change_no_metric(other, finished):
    reference = json.loads((finished / "metrics.json").read_text())
    assert other["states"].keys() == reference["states"].keys()
    for name in ("test", "popularity"):
        assert other[name] == pytest.approx(reference[name])
