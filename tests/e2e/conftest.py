"""One finished run, shared by all tests that read it or run again into its output directory."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import caser, run_arguments
from tests.support.interaction_log import rows, write


@pytest.fixture(scope="session")
def log(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("log") / "log.csv", rows())


@pytest.fixture(scope="session")
def finished(log, tmp_path_factory) -> Path:
    """The output directory of one finished run, read only; its console output is in `console.txt` beside it."""
    output = tmp_path_factory.mktemp("run") / "out"
    done = caser(*run_arguments(log, output))
    assert done.returncode == 0, done.stdout + done.stderr
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
def first_metrics(finished) -> dict[str, Any]:
    """`metrics.json` of the finished run."""
    return json.loads((finished / "metrics.json").read_text())
