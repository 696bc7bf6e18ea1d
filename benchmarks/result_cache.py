"""Measurements in files, one per measurement, so that an interrupted run goes on where it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def write(file: Path, content: object) -> None:
    """Writes JSON at once: a file that is there is whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.part")
    part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    os.replace(part, file)


def measured(file: Path, arguments: Sequence[object], python: str = sys.executable) -> dict[str, Any] | None:
    """The measurement in `file`; where there is none, a process of its own takes it first.

    A process of its own, so that its peak memory is that of the measurement.

    Args:
        file: JSON that the process writes; `--to FILE` is appended to its arguments.
        arguments: of Python.
        python: the interpreter.

    Returns:
        The measurement; None where the process failed, whose output then is in the log beside `file`.
    """
    if file.exists():
        print(f"  {file.stem}: kept from before", flush=True)
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
