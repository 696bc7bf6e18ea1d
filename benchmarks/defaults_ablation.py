"""Ablation of the defaults on any data: `python -m benchmarks.defaults_ablation --data FILE --output DIR`.

Each row changes one default and is evaluated on the valid split, on which the defaults were chosen: the best epoch of
Caser alone, and what is served with the weight of the rules that is best there. Existing results are reused, so an
interrupted run resumes; `--changes` limits the rows.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import result_cache

_CHANGES = {
    "none": [],
    "normalized": ["model.normalize=true"],
    "not normalized": ["model.normalize=false"],
    "dense layer with ReLU": ["model.dense_activation=relu"],
    "dense layer without activation": ["model.dense_activation=identity"],
    "user dropout .5": ["model.user_dropout=0.5"],
    "user dropout .95": ["model.user_dropout=0.95"],
    "one target": ["windows.T=1"],
    "three targets": ["windows.T=3"],
    "no partial sequences": ["windows.partial_sequences=false"],
    "L=10": ["windows.L=10"],
    "sampled softmax": ["trainer.loss=sampled_softmax"],
    "4 epochs": ["trainer.epochs=4"],
    "6 epochs": ["trainer.epochs=6"],
}
_WEIGHTS = re.compile(r"weight of sequential rules (\S+): valid \S+ \{(.*)\}")


def main() -> None:
    """Measures all rows and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--preset")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--metric", default="ndcg_at_10", help="metric of the valid split (trainer.monitor)")
    parser.add_argument("--changes", nargs="+", default=list(_CHANGES), choices=list(_CHANGES))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    if not arguments.data.is_file():
        sys.exit(f"{arguments.data} is missing: pass a file of interactions as --data")
    base = [
        *arguments.settings,
        f"trainer.monitor={arguments.metric}",
        "trainer.auto=false",
        "neighbours.enabled=false",
    ]
    lines = [f"| change | Caser, {arguments.metric} | served | weight | seconds of training |", "|---|---|---|---|---|"]
    for name in arguments.changes:
        file = arguments.output / f"{name.replace(' ', '-')}-{arguments.seed}.json"
        if not file.exists():
            settings = [*base, *_CHANGES[name], f"seed={arguments.seed}"]
            result_cache.write(file, _measure(arguments.data, arguments.preset, settings, arguments.output / "run"))
        row = json.loads(file.read_text(encoding="utf-8"))
        lines.append(
            f"| {name} | {row['caser']:.4f} | {row['served']:.4f} | {row['weight']:g} | {row['seconds']:.0f} |"
        )
    table = "\n".join(lines) + "\n"
    (arguments.output / "ablation.md").write_text(table, encoding="utf-8")
    print(f"\n{table}")


def _measure(data: Path, preset: str | None, settings: list[str], output: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "pipeline", "run", "--data", str(data), "--output", str(output)]
    command += ["--preset", preset] if preset else []
    for setting in settings:
        command += ["--set", setting]
    if status := subprocess.run(command, check=False).returncode:
        sys.exit(status)
    log = max((output / "logs").glob("run-*.log")).read_text(encoding="utf-8", errors="replace")
    (match,) = _WEIGHTS.findall(log)[-1:]
    values = {float(part.split(":")[0]): float(part.split(":")[1]) for part in match[1].split(",")}
    metrics = json.loads((output / "metrics.json").read_text(encoding="utf-8"))
    # Both on the same users: with many users, the weight is chosen on a sample of them.
    return {
        "caser": values[0.0],
        "served": max(values.values()),
        "weight": float(match[0]),
        "seconds": metrics["seconds"]["CaserTrainer"],
    }


if __name__ == "__main__":
    main()
