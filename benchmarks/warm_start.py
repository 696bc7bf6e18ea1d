"""A warm start against a training from scratch: `python -m benchmarks.warm_start --data FILE --to FILE`.

The base model is trained without the newest tenth of the data: of each user's interactions, or with `--by time` of the
time range. Then both models are trained on all of it. The split is the one of the settings; curves are of valid,
metrics of Caser alone on test, both with the exported model's code.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from tfx.components.trainer.fn_args_utils import FnArgs

from benchmarks import movielens, result_cache
from benchmarks.data_scaling import Costs, Finished
from components.example_gen.raw_examples import read_split
from components.export.model_info import read_model_info
from components.ranking.evaluation import evaluate_users
from components.trainer.run_fn import HISTORY_FILE, run_fn
from components.trainer.training import Training
from components.transform.encoded_users import EncodedUsers
from pipeline.config.config import Config, load_config
from pipeline.local.runner import run
from pipeline.pipeline import PIPELINE_NAME, create_pipeline
from pipeline.results.metadata import last_outputs

_NEWEST = 0.1
_SHOWN = ("map", "ndcg_at_10")
_SECTIONS = ("windows", "model", "trainer", "export", "recommend")


def without_newest(data: pd.DataFrame, config: Config, by: str) -> pd.DataFrame:
    """The rows that are older than the newest tenth.

    Args:
        data: interactions.
        config: names of the columns.
        by: "user": a tenth of each user's interactions; "time": a tenth of the time range.
    """
    moment = data[config.data.time_column]
    if by == "time":
        return data[moment < moment.min() + (moment.max() - moment.min()) * (1 - _NEWEST)]
    ordered = data.sort_values([config.data.user_column, config.data.time_column], kind="stable")
    groups = ordered.groupby(config.data.user_column, sort=False)
    return ordered[groups.cumcount() < np.ceil(groups[config.data.user_column].transform("size") * (1 - _NEWEST))]


def read_until_transform(config: Config, data: Path, output: Path) -> dict[str, str]:
    """Runs the data nodes; URIs of what the Trainer reads."""
    output.mkdir()
    with contextlib.suppress(Finished):
        run(create_pipeline(config, str(data), str(output)), Costs("Transform"))
    outputs = last_outputs(output / "metadata.sqlite", PIPELINE_NAME)
    return {
        "raw": outputs["InteractionExampleGen", "examples"].uri,
        "examples": outputs["Transform", "transformed_examples"].uri,
        "transform": outputs["Transform", "transform_graph"].uri,
    }


def train(uris: dict[str, str], config: Config, seed: int, to: Path, base: Path | None = None) -> dict[str, Any]:
    """Trains by `run_fn` and evaluates Caser alone.

    Args:
        uris: from `read_until_transform`.
        config: the settings.
        seed: random seed.
        to: directory for the model.
        base: model to start from; None: from scratch.

    Returns:
        `seconds` of all epochs, the curve of valid, and the metrics of test.
    """
    settings = {name: getattr(config, name).model_dump() for name in _SECTIONS}
    settings["trainer"]["warm_start"] = base is not None
    custom = {"seed": seed, "valid_split": f"{uris['raw']}/Split-valid", **settings}
    fn_args = FnArgs(
        train_files=[f"{uris['examples']}/Split-train/*"],
        transform_graph_path=uris["transform"],
        serving_model_dir=str(to),
        model_run_dir=str(to) + "-run",
        base_model=str(base) if base else "",
        custom_config=custom,
    )
    started = time.monotonic()
    run_fn(fn_args)
    seconds = time.monotonic() - started
    history = json.loads((Path(fn_args.model_run_dir) / HISTORY_FILE).read_text(encoding="utf-8"))
    training = Training.read(fn_args)
    test = EncodedUsers(read_split(f"{uris['raw']}/Split-{config.split.evaluated}"), training.items)
    return {
        "seconds": seconds,
        "epoch_seconds": sum(row["seconds"] for row in history),
        "curve": [row[config.trainer.monitor] for row in history],
        "notes": history[0]["notes"],
        "plan": read_model_info(str(to))["training"],
        "test": _evaluate(to, test, training),
    }


def _evaluate(model: Path, users: EncodedUsers, training: Training) -> dict[str, float]:
    loaded = tf.saved_model.load(str(model))
    score = loaded.signatures["score"]
    items = training.items.tokens(tf.range(training.items.size, dtype=tf.int64) + 2)

    def scorer(batch: Any) -> tf.Tensor:
        newest = batch.history[:, -training.window_settings.L :]
        histories = newest.with_flat_values(training.items.tokens(newest.flat_values)).to_tensor()
        candidates = tf.tile(items[tf.newaxis], [tf.shape(histories)[0], 1])
        return score(user_id=batch.user_id, recent_item_ids=histories, candidate_item_ids=candidates)["probabilities"]

    metrics = evaluate_users(scorer, users, training.items.size)
    return {name: metrics[name] for name in _SHOWN}


def main() -> None:
    """Trains three ways with every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--preset")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--by", choices=["user", "time"], default="user")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--to", type=Path)
    parser.add_argument("--table", type=Path, nargs="+", metavar="FILE")
    arguments = parser.parse_args()
    if arguments.table:
        for file in arguments.table:
            print("\n".join(table(json.loads(file.read_text(encoding="utf-8")))))
        return
    if not arguments.data or not arguments.to:
        parser.error("--data and --to, or --table, are required")
    movielens.refuse_without(arguments.data)
    config = load_config(arguments.preset, overrides=arguments.overrides)
    result: dict[str, Any] = {"data": arguments.data.name, "by": arguments.by, "seeds": {}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = pd.read_csv(arguments.data)
        without_newest(data, config, arguments.by).to_csv(folder / "older.csv", index=False)
        older = read_until_transform(config, folder / "older.csv", folder / "older")
        whole = read_until_transform(config, arguments.data, folder / "whole")
        for seed in arguments.seeds:
            keras.backend.clear_session()
            base = folder / f"base-{seed}"
            result["seeds"][seed] = {
                "base": train(older, config, seed, base),
                "scratch": train(whole, config, seed, folder / f"scratch-{seed}"),
                "warm": train(whole, config, seed, folder / f"warm-{seed}", base),
            }
            print(seed, json.dumps(result["seeds"][seed]), flush=True)
            result_cache.write(arguments.to, result)
    print("\n".join(table(result)))


def table(result: dict[str, Any]) -> Sequence[str]:
    """Both curves and metrics, as lines of Markdown."""
    lines = [
        "| training | seconds of epochs | " + " | ".join(_SHOWN) + " | valid by epoch, seed by seed |",
        "|---" * 5 + "|",
    ]
    for way in ("base", "scratch", "warm"):
        runs = [seeds[way] for seeds in result["seeds"].values()]
        values = np.array([[run["test"][name] for name in _SHOWN] for run in runs])
        curves = "; ".join(" ".join(f"{value:.4f}" for value in run["curve"]) for run in runs)
        seconds = np.mean([run["epoch_seconds"] for run in runs])
        means = " | ".join(f"{value:.4f}" for value in values.mean(axis=0))
        lines.append(f"| {way} | {seconds:.0f} | {means} | {curves} |")
    return lines


if __name__ == "__main__":
    main()
