"""A run whose output is in an object store, and the next run from another machine."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from tests.support.cli import caser_command, run_arguments
from tests.support.object_store import object_store

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("run")]

OUTPUT = "gs://bucket/runs/mine"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with object_store(tmp_path_factory.mktemp("store")) as store:
        yield store


def caser_on(machine, store, *arguments):
    machine.mkdir(exist_ok=True)
    environment = {**os.environ, **store.environment, "COLUMNS": "200"}
    return subprocess.run(
        caser_command(*arguments), cwd=machine, env=environment, capture_output=True, text=True, timeout=900
    )


@pytest.fixture(scope="module")
def first(store, log, tmp_path_factory):
    """The directory of the first run."""
    machine = tmp_path_factory.mktemp("first")
    done = caser_on(machine, store, *run_arguments(log, OUTPUT))
    assert done.returncode == 0, done.stdout + done.stderr
    return machine


def test_run_in_an_object_store_has_the_metrics_of_a_local_one(first, finished):
    names = ("test", "caser", "sequential_rules", "neighbours", "popularity", "slices", "counts")
    metrics, expected = (json.loads((folder / "metrics.json").read_text()) for folder in (first / "mine", finished))
    assert {name: metrics[name] for name in names} == {name: expected[name] for name in names}


def test_results_are_beside_the_artifacts(first, store):
    names = {name.removeprefix("runs/mine/").split("/")[0] for name in store.buckets["bucket"]}
    assert {"metadata.sqlite", "metrics.json", "report.html", "pipeline", "serving"} <= names


def test_run_on_another_machine_reuses_all_nodes(first, store, log, tmp_path):
    done = caser_on(tmp_path / "other", store, *run_arguments(log, OUTPUT))
    assert done.returncode == 0, done.stdout + done.stderr
    states = json.loads((tmp_path / "other" / "mine" / "metrics.json").read_text())["states"]
    assert {node for node, state in states.items() if state == "done"} <= {"LastBlessedModel"}


def test_published_model_recommends(first, store, tmp_path):
    done = caser_on(tmp_path, store, "recommend", "--model", f"{OUTPUT}/serving/caser", "--user", "nobody", "-k", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 3


def test_missing_bucket_is_one_message_and_leaves_nothing(store, log, tmp_path):
    done = caser_on(tmp_path / "typo", store, *run_arguments(log, "gs://missing/mine"))
    assert done.returncode == 2
    assert "--output gs://missing/mine cannot be written" in done.stdout + done.stderr
    assert "check that the bucket exists" in done.stdout + done.stderr
    assert not list((tmp_path / "typo").iterdir())


def test_missing_model_is_one_message(store, tmp_path):
    done = caser_on(tmp_path, store, "recommend", "--model", "gs://bucket/none", "--user", "nobody")
    assert done.returncode == 2
    assert "gs://bucket/none contains no model version" in done.stdout + done.stderr
