"""The console command, as a user would call it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.interaction_log import SETTINGS


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
