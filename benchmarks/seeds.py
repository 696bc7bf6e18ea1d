"""Several seeds of `caser run`: mean and standard deviation as a Markdown row.

`python -m benchmarks.seeds --data FILE --preset ml-1m-caser --seeds 1 2 3 --output DIR`

`DIR/seed-N/metrics.json` of every seed is kept. A run that was interrupted goes on where it was, and what needs no
seed (reading, splitting, windows) is done once.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks import result_cache
from pipeline.config.config import load_config

_METRICS = ("map", "precision_at_1", "precision_at_10", "recall_at_10", "ndcg_at_10", "hit_rate_at_10")
_BASELINES = ("popularity", "neighbours", "sequential_rules")


def main() -> None:
    """Runs all seeds and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--preset")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="one epoch each, to try this script out")
    arguments = parser.parse_args()
    if not arguments.data.is_file():
        sys.exit(f"{arguments.data} is missing: pass a file of interactions as --data")
    settings = [*arguments.settings, *(["trainer.epochs=1"] if arguments.quick else [])]
    runs = []
    for seed in arguments.seeds:
        place = arguments.output / f"seed-{seed}" / "metrics.json"
        config = load_config(arguments.preset, overrides=settings).model_dump(mode="json")
        wanted = {"data": str(arguments.data.resolve()), "config": config}
        if not _is_kept(place, wanted):
            # One output directory for all seeds: nodes that do not depend on the seed are cached.
            _run(arguments.data, arguments.preset, [*settings, f"seed={seed}"], arguments.output / "run")
            metrics = json.loads((arguments.output / "run" / "metrics.json").read_text(encoding="utf-8"))
            result_cache.write(place, metrics)
            result_cache.write(place.with_name("request.json"), wanted)
        runs.append(json.loads(place.read_text(encoding="utf-8")))
    name = f"{arguments.preset or 'defaults'}, {len(runs)} seeds"
    table = markdown(name, runs)
    (arguments.output / "quality.md").write_text(table, encoding="utf-8")
    print(f"\n{table}")


def markdown(name: str, runs: list[dict]) -> str:
    """A table: the baselines, and means with standard deviations over seeds of Caser alone and of what is served."""
    columns = [metric for metric in _METRICS if metric in runs[0]["test"]]
    rows = [["model", *columns, "seconds in all"], ["---"] * (len(columns) + 2)]
    for baseline in _BASELINES:
        if runs[0].get(baseline):
            rows.append([baseline, *(f"{runs[0][baseline][metric]:.4f}" for metric in columns), ""])
    seconds = " ".join(f"{sum(run['seconds'].values()):.0f}" for run in runs)
    weights = " ".join(f"{run['rule_weight']:g}" for run in runs)
    rows.append(["Caser alone", *_means(runs, "caser", columns), ""])
    rows.append([f"{name}, weight of rules {weights}", *_means(runs, "test", columns), seconds])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _means(runs: list[dict], part: str, columns: list[str]) -> list[str]:
    values = np.array([[run[part][metric] for metric in columns] for run in runs])
    spread = values.std(axis=0, ddof=1) if len(runs) > 1 else np.zeros(len(columns))
    return [f"{mean:.4f} ± {one:.4f}" for mean, one in zip(values.mean(axis=0), spread, strict=True)]


def _is_kept(place: Path, wanted: dict) -> bool:
    request = place.with_name("request.json")
    return place.exists() and request.exists() and json.loads(request.read_text(encoding="utf-8")) == wanted


def _run(data: Path, preset: str | None, settings: list[str], output: Path) -> None:
    command = [sys.executable, "-m", "pipeline", "run", "--data", str(data), "--output", str(output)]
    command += ["--preset", preset] if preset else []
    for setting in settings:
        command += ["--set", setting]
    if status := subprocess.run(command, check=False, cwd=None).returncode:
        sys.exit(status)


if __name__ == "__main__":
    main()
