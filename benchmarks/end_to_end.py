"""Seconds of `caser run --preset ml-1m-caser`: `python -m benchmarks.end_to_end --data FILE --to FILE`."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import movielens, result_cache


def main() -> None:
    """Runs and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run-in", type=Path, required=True, help="is emptied first, so that nothing is reused")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--to", type=Path, required=True)
    arguments = parser.parse_args()
    movielens.refuse_without(arguments.data)
    shutil.rmtree(arguments.run_in, ignore_errors=True)
    command = [sys.executable, "-m", "pipeline", "run", "--data", str(arguments.data), "--preset", "ml-1m-caser"]
    command += ["--output", str(arguments.run_in)]
    for setting in arguments.settings:
        command += ["--set", setting]
    started = time.monotonic()
    if status := subprocess.run(command, check=False).returncode:
        sys.exit(status)
    wall = time.monotonic() - started
    metrics = json.loads((arguments.run_in / "metrics.json").read_text(encoding="utf-8"))
    result_cache.write(arguments.to, {**metrics, "wall_seconds": wall})


if __name__ == "__main__":
    main()
