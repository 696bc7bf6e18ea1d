"""One finished run, shared by all tests that read it or run again into its output directory."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from components.files import exclusive_lock, write_text
from tests.support.cli import caser, run_arguments
from tests.support.interaction_log import rows, write


@pytest.fixture(scope="session")
def log(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("log") / "log.csv", rows())


@pytest.fixture(scope="session")
def shared(tmp_path_factory, worker_id) -> Path:
    """A directory of all test processes."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def finished(log, tmp_path_factory, shared) -> Path:
    """The output directory of one finished run, read only; its console output is in `console.txt` beside it."""
    output = tmp_path_factory.mktemp("run") / "out"
    with exclusive_lock(shared / "first-run.lock"):
        done = caser(*run_arguments(log, output))
        assert done.returncode == 0, done.stdout + done.stderr
        write_text(shared / "first-metrics.json", (output / "metrics.json").read_text())
    (output.parent / "console.txt").write_text(done.stdout + done.stderr)
    return output


@pytest.fixture
def restored(finished, tmp_path) -> Path:
    """The output directory of the finished run, for a test that runs into it again; put back afterwards."""
    backup = shutil.copytree(finished, tmp_path / "backup", symlinks=True)
    yield finished
    shutil.rmtree(finished)
    shutil.copytree(backup, finished, symlinks=True)


@pytest.fixture(scope="session")
def first_metrics(request, shared) -> dict[str, Any]:
    """`metrics.json` of the finished run, whichever process made it."""
    file = shared / "first-metrics.json"
    with exclusive_lock(shared / "first-run.lock"):
        is_known = file.exists()
    if not is_known:
        request.getfixturevalue("finished")
    return json.loads(file.read_text())
