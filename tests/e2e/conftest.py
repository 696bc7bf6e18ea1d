"""One finished run, shared by tests that only read it."""

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
    """The output folder of one finished run."""
    output = tmp_path_factory.mktemp("run") / "out"
    done = caser(*run_arguments(log, output))
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.copy(output / "metrics.json", output.with_name("first-metrics.json"))
    return output


@pytest.fixture(scope="session")
def first_metrics(finished) -> dict[str, Any]:
    """`metrics.json` as the run left it; other tests run again into the same folder."""
    return json.loads(finished.with_name("first-metrics.json").read_text())
