"""Cached results, one file per measurement, so that an interrupted benchmark resumes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.files import write_text

ROOT = Path(__file__).resolve().parents[1]


def write(file: Path, content: object) -> None:
    """Writes JSON atomically, so that an existing file is complete."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, json.dumps(content, indent=1) + "\n")


def measured(file: Path, arguments: Sequence[object], python: str = sys.executable) -> dict[str, Any] | None:
    """The result in `file`; if it is missing, a separate process measures it first.

    A separate process, so that its peak memory is that of the measurement.

    Args:
        file: JSON that the process writes; `--to FILE` is appended to its arguments.
        arguments: arguments of Python.
        python: Python interpreter.

    Returns:
        The result; None if the process failed (its output is in the log beside `file`).
    """
    if file.exists():
        print(f"  {file.stem}: cached", flush=True)
    else:
        print(f"  {file.stem} ...", end="", flush=True)
        file.parent.mkdir(parents=True, exist_ok=True)
        started, log = time.monotonic(), file.with_suffix(".log")
        with log.open("w") as output:
            command = [python, *map(str, arguments), "--to", str(file)]
            status = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False, cwd=ROOT).returncode
        print(f" {time.monotonic() - started:.0f} s", flush=True)
        if status or not file.exists():
            print(f"  {file.stem} failed with status {status}: see {log}", flush=True)
            return None
    return json.loads(file.read_text(encoding="utf-8"))
