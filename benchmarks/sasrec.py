"""SASRec of RecTools with sampled softmax, in an environment with RecTools only; called by `benchmarks.transformer`.

Two blocks, dimension 128, length 50, 256 negatives, batch size 128, learning rate 0.001: RecTools' defaults and the
settings of the comparison that published the best results for SASRec on sparse data.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel

_K, _PATIENCE, _MOST_EPOCHS, _REQUESTS = 10, 3, 200, 50


def main() -> None:
    """Trains until the time is over or the valid split no longer improves, and evaluates the best epoch on test."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--to", type=Path, required=True)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    np.random.seed(arguments.seed)
    train = _dataset(arguments.data / "train.csv")
    model = SASRecModel(
        n_blocks=2,
        n_heads=4,
        n_factors=128,
        session_max_len=50,
        loss="sampled_softmax",
        n_negatives=256,
        batch_size=128,
        lr=1e-3,
        epochs=1,
    )
    best, best_epoch, test, seconds, epoch = -1.0, 0, {}, 0.0, 0
    while seconds < 60 * arguments.minutes and epoch - best_epoch < _PATIENCE and epoch < _MOST_EPOCHS:
        started = time.monotonic()
        model.fit_partial(train, min_epochs=1, max_epochs=1)
        seconds, epoch = seconds + time.monotonic() - started, epoch + 1
        valid = _evaluate(model, arguments.data, "valid")
        print(epoch, round(seconds), valid, flush=True)
        if valid["ndcg_at_10"] > best:
            best, best_epoch, test = valid["ndcg_at_10"], epoch, _evaluate(model, arguments.data, "test")
    result = {**test, "valid": best, "epoch": best_epoch, "epochs": epoch, "seconds": seconds}
    result["milliseconds"] = _latency(model, arguments.data)
    arguments.to.write_text(json.dumps(result), encoding="utf-8")


def _read(file: Path) -> pd.DataFrame:
    rows = pd.read_csv(file, dtype={"user_id": str, "item_id": str})
    rows[Columns.Datetime] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rows["position"], unit="D")
    return rows.assign(**{Columns.Weight: 1})


def _dataset(file: Path) -> Dataset:
    return Dataset.construct(_read(file).drop(columns="position"))


def _evaluate(model: SASRecModel, data: Path, split: str) -> dict[str, float]:
    """One held-out item per user, ranked among all unseen ones; an item unknown to the model is a miss."""
    history, held_out = _dataset(data / f"{split}-history.csv"), _read(data / f"{split}.csv")
    users = held_out["user_id"].unique()
    recommended = model.recommend(users, history, _K, filter_viewed=True, on_unsupported_targets="ignore")
    hits = held_out.merge(recommended, on=["user_id", "item_id"])
    return {
        "ndcg_at_10": float((1 / np.log2(1 + hits[Columns.Rank])).sum() / len(users)),
        "hit_rate_at_10": len(hits) / len(users),
    }


def _latency(model: SASRecModel, data: Path) -> float:
    """Median milliseconds of a recommendation for one user through RecTools' interface."""
    rows = _read(data / "test-history.csv")
    seconds = []
    for user in rows["user_id"].unique()[:_REQUESTS]:
        history = Dataset.construct(rows[rows["user_id"] == user].drop(columns="position"))
        started = time.monotonic()
        model.recommend([user], history, _K, filter_viewed=True)
        seconds.append(time.monotonic() - started)
    return 1000 * float(np.median(seconds))


if __name__ == "__main__":
    main()
