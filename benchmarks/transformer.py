"""SASRec on the split of a run: `make bench-transformer RUN=out/toys`, or the two commands below.

`python -m benchmarks.transformer --run DIR --sasrec-python PYTHON --seeds 1 2 3 --minutes 10 --output DIR`

SASRec with sampled softmax of RecTools (an environment of its own, see the Makefile) is trained on the train split of a
finished `caser run`, for the given time or until its metric on the valid split has not improved for three epochs. It is
evaluated on the run's test split by full ranking, as the run was. Results are kept by seed, so an interrupted benchmark
resumes.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

from benchmarks import result_cache
from components.example_gen.raw_examples import RawExamples, parse_raw_examples, read_split
from components.export.signatures import SERVING
from components.features import TEST, TRAIN, VALID

_METRICS = ("ndcg_at_10", "hit_rate_at_10")
_REQUESTS = 50


def main() -> None:
    """Measures all seeds and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="output of `caser run` with split.strategy=leave_last")
    parser.add_argument("--sasrec-python", required=True, help="Python with RecTools")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--minutes", type=float, default=10, help="time limit of each training")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    output = arguments.output.resolve()
    newest = max(
        (arguments.run / "pipeline" / "InteractionExampleGen" / "examples").iterdir(), key=lambda d: int(d.name)
    )
    splits = {
        name: parse_raw_examples(tf.constant(list(read_split(str(newest / f"Split-{name}")).as_numpy_iterator())))
        for name in (TRAIN, VALID, TEST)
    }
    _write_histories(splits[TRAIN].user_id, splits[TRAIN].item_ids, output / "train.csv")
    for name in (VALID, TEST):
        _write_histories(splits[name].user_id, splits[name].item_ids, output / f"{name}-history.csv")
        _write_histories(splits[name].user_id, splits[name].holdout, output / f"{name}.csv")

    summary = json.loads((arguments.run / "metrics.json").read_text(encoding="utf-8"))
    rows = [["model", *_METRICS, "seconds of training", "ms per request"], ["---"] * 5]
    rows.append(
        [
            "served",
            *(f"{summary['test'][name]:.4f}" for name in _METRICS),
            f"{summary['seconds']['CaserTrainer']:.0f}",
            f"{_latency(arguments.run, splits[TEST]):.1f}",
        ]
    )
    for part in ("caser", "sequential_rules", "neighbours"):
        rows.append([part, *(f"{summary[part][name]:.4f}" for name in _METRICS), "", ""])
    runs = [
        result
        for seed in arguments.seeds
        if (
            result := result_cache.measured(
                output / f"sasrec-{seed}-{arguments.minutes:g}.json",
                ["benchmarks/sasrec.py", "--data", output, "--seed", seed, "--minutes", arguments.minutes],
                arguments.sasrec_python,
            )
        )
    ]
    if runs:
        rows.append(
            [
                f"SASRec, {len(runs)} seeds",
                *(_mean([run[name] for run in runs]) for name in _METRICS),
                _mean([run["seconds"] for run in runs], 0),
                _mean([run["milliseconds"] for run in runs], 1),
            ]
        )
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    (output / "transformer.md").write_text(table, encoding="utf-8")
    print(f"\n{table}")


def _write_histories(users: tf.Tensor, items: tf.RaggedTensor, file: Path) -> None:
    """One row per interaction: user, item, position."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="", encoding="utf-8") as output:
        writer = csv.writer(output)
        writer.writerow(["user_id", "item_id", "position"])
        for user, row in zip(users.numpy(), items.to_list(), strict=True):
            writer.writerows([user.decode(), item.decode(), position] for position, item in enumerate(row))


def _latency(run: Path, test: RawExamples) -> float:
    """Median milliseconds of a request for one user, in process."""
    versions = [folder for folder in (run / "serving" / "caser").iterdir() if folder.name.isdigit()]
    serve = tf.saved_model.load(str(max(versions, key=lambda folder: int(folder.name)))).signatures[SERVING]
    seconds = []
    for row in range(_REQUESTS):
        started = time.monotonic()
        serve(
            user_id=test.user_id[row : row + 1],
            recent_item_ids=test.item_ids[row : row + 1].to_tensor(),
            exclude_item_ids=tf.zeros([1, 0], tf.string),
        )
        seconds.append(time.monotonic() - started)
    return 1000 * float(np.median(seconds))


def _mean(values: list[float], digits: int = 4) -> str:
    spread = np.std(values, ddof=1) if len(values) > 1 else 0.0
    return f"{np.mean(values):.{digits}f} ± {spread:.{digits}f}"


if __name__ == "__main__":
    main()
