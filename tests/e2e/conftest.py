"""A small log with a planted pattern, and the console command as a user would call it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

# Small enough for seconds, large enough that the pattern beats popularity.
USERS, ITEMS = 200, 30
SETTINGS = (
    "trainer.epochs=20",
    "trainer.learning_rate=0.01",
    "trainer.batch_size=128",
    "model.d=16",
    "model.dropout=0.1",
    "windows.L=3",
    "windows.T=1",
    "export.k=10",
)


def rows() -> list[tuple[str, str, int]]:
    """(user, item, time): each item is followed by the next one four times out of five."""
    rng = np.random.default_rng(5)
    made = []
    for user in range(USERS):
        item = int(rng.integers(ITEMS))
        for step in range(int(rng.integers(10, 20))):
            made.append((f"u{user}", f"i{item}", 1_700_000_000 + 60 * step))
            item = (item + 1) % ITEMS if rng.random() < 0.8 else int(rng.integers(ITEMS))
    return made


def write(path: Path, lines: list[tuple[str, str, int]]) -> Path:
    path.write_text("user_id,item_id,timestamp\n" + "".join(f"{u},{i},{t}\n" for u, i, t in lines))
    return path


def caser_command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "pipeline", *map(str, arguments)]


def caser(*arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(
        caser_command(*arguments), capture_output=True, text=True, check=False, env=environment, timeout=600
    )


def run_arguments(data: Path, output: Path, *settings: str) -> list[object]:
    overrides = [part for setting in (*SETTINGS, *settings) for part in ("--set", setting)]
    return ["run", "--data", data, "--output", output, *overrides]


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
