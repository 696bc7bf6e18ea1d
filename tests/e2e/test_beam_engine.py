"""Runs on a Beam engine outside this process: `make test-beam-engine`."""

from __future__ import annotations

import json
import signal
import subprocess
import time

import pytest

from tests.support.beam_engine import NotAvailableError, job_endpoint
from tests.support.cli import caser, caser_command, run_arguments

pytestmark = [pytest.mark.long, pytest.mark.beam_engine, pytest.mark.xdist_group("run")]


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """Beam arguments for the engine, with workers on this machine."""
    try:
        with job_endpoint(tmp_path_factory.mktemp("engine")) as endpoint:
            options = ("--runner=PortableRunner", f"--job_endpoint={endpoint}", "--environment_type=LOOPBACK")
            yield [f"--beam-arg={option}" for option in options]
    except NotAvailableError as reason:
        pytest.skip(str(reason))


def metrics_of(output):
    metrics = json.loads((output / "metrics.json").read_text())
    names = ("test", "caser", "sequential_rules", "neighbours", "popularity", "slices", "counts")
    return {name: metrics[name] for name in names}


def test_engine_gives_the_metrics_of_a_local_run(engine, finished, log, tmp_path):
    done = caser(*run_arguments(log, tmp_path / "out"), *engine)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert json.dumps(metrics_of(tmp_path / "out")) == json.dumps(metrics_of(finished))


def test_worker_processes_give_the_metrics_of_a_local_run(finished, log, tmp_path):
    options = ("--beam-arg=--direct_running_mode=multi_processing", "--beam-arg=--direct_num_workers=2")
    done = caser(*run_arguments(log, tmp_path / "out"), *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.dumps(metrics_of(tmp_path / "out")) == json.dumps(metrics_of(finished))


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_run_cancels_its_job(engine, log, tmp_path, number, status):
    arguments = run_arguments(log, tmp_path / "out")
    run = subprocess.Popen(caser_command(*arguments, *engine), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + 120
    while "Job state changed to" not in _log_of(tmp_path / "out") and time.monotonic() < deadline:
        time.sleep(0.05)
    run.send_signal(number)
    output, _ = run.communicate(timeout=60)
    assert run.returncode == status, output
    assert "cancelled a Beam job" in _log_of(tmp_path / "out")
    assert b"Traceback" not in output
    # Nothing is left of it: the same command completes.
    done = caser(*arguments, *engine)
    assert done.returncode == 0, done.stdout + done.stderr


def _log_of(output):
    return "".join(file.read_text() for file in (output / "logs").glob("*.log"))
