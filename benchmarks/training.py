"""Trains Caser and measures it: `python -m benchmarks.training --data FILE --what paper --to FILE`.

The split is that of the paper's authors: test, or with `--validation` the one to tune on.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from benchmarks import environment, movielens, result_cache
from components.features import FIRST_ID
from components.model.caser import Caser
from components.model.settings import ModelSettings
from components.model.window_settings import WindowSettings
from components.ranking.metrics import concatenate_padded
from components.ranking.ranks import held_out_ranks, top_items, users_per_batch
from components.ranking.totals import all_metrics
from components.trainer.fit import fit
from components.trainer.settings import TrainerSettings
from components.trainer.windows import WindowBatch, Windows
from components.transform.histories import EncodedHistories
from pipeline.config.config import Config, load_config

PRESET = "ml-1m-caser"
CONFIGURATIONS = ("preset", "default", "quick", "paper")
SHOWN = ("map", "precision_at_1", "precision_at_10", "ndcg_at_10")


def configuration(what: str, overrides: Sequence[str] = ()) -> Config:
    """The configuration to measure: the preset, the defaults, one quick epoch, or the paper's model and loss.

    Args:
        what: which of them.
        overrides: `KEY=VALUE`, for the preset and the defaults.
    """
    if what == "preset":
        return load_config(PRESET, overrides=overrides)
    if what == "default":
        return load_config(overrides=overrides)
    if what == "quick":
        return Config(
            windows=WindowSettings(L=5, T=3),
            model=ModelSettings(d=50, dropout=0.2, embedding_dropout=0.1, user_dropout=0.2, tied_embeddings=False),
            trainer=TrainerSettings(batch_size=512, learning_rate=8e-3, epochs=1),
        )
    return Config(
        windows=WindowSettings(L=5, T=3, partial_sequences=False, partial_targets=False),
        model=ModelSettings(
            d=50,
            heights=None,
            horizontal_filters=16,
            vertical_filters=4,
            dropout=0.5,
            embedding_dropout=0,
            user_dropout=0,
            tied_embeddings=False,
            l2=1e-6,
        ),
        trainer=TrainerSettings(
            exclude_from_negatives="past_and_future",
            epochs=12,
            batch_size=512,
            learning_rate=1e-3,
            weight_decay=0,
            unknown_user_rate=0,
            loss="bce",
            num_negatives=3,
        ),
    )


def windows_of(split: movielens.Split, settings: WindowSettings, fraction: float = 1, seed: int = 1) -> Windows:
    """Windows of the histories to train on.

    Args:
        split: of MovieLens.
        settings: their shape.
        fraction: fraction of the windows, sampled at random.
        seed: seed of the sample.
    """
    users = np.arange(split.n_users) + FIRST_ID
    histories = EncodedHistories.of(users, split.train, np.diff(split.train_start))
    return _Sample(histories, settings, fraction, seed)


class _Sample(Windows):
    """Some windows of histories."""

    def __init__(self, histories: EncodedHistories, settings: WindowSettings, fraction: float, seed: int) -> None:
        super().__init__(histories, settings)
        self._chosen = np.flatnonzero(np.random.default_rng(seed).random(super().__len__()) < fraction)

    def __len__(self) -> int:
        return len(self._chosen)

    def at(self, numbers: tf.Tensor) -> WindowBatch:
        return super().at(tf.gather(self._chosen, numbers))


def main() -> None:
    """Trains and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--what", choices=CONFIGURATIONS, required=True)
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--validation", action="store_true", help="the authors' validation split, not test")
    parser.add_argument("--epochs", type=int, help="unset: as configured")
    parser.add_argument("--users", type=int, help="only the first so many")
    parser.add_argument("--fraction", type=float, default=1, help="fraction of the windows, sampled at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--to", type=Path, required=True)
    arguments = parser.parse_args()
    movielens.refuse_without(arguments.data)
    if arguments.overrides and arguments.what not in ("preset", "default"):
        parser.error(f"--set goes with --what preset or default, not with {arguments.what}")

    config = configuration(arguments.what, arguments.overrides)
    fractions = movielens.VALIDATION if arguments.validation else movielens.TEST
    split = movielens.read_split(arguments.data, arguments.users, fractions)
    L, windows = config.windows.L, windows_of(split, config.windows, arguments.fraction, arguments.seed)
    keras.utils.set_random_seed(arguments.seed)
    model = Caser(split.n_users, split.n_items, L, config.model)
    evaluating = []

    def validate() -> dict[str, float]:
        started = time.monotonic()
        metrics = _metrics(model, split, L)
        evaluating.append(time.monotonic() - started)
        print(metrics["map"], flush=True)
        return metrics

    # The whole schedule: the test split tells when a quality is reached, and stops nothing.
    trainer = config.trainer.model_copy(
        update={"epochs": arguments.epochs or config.trainer.epochs, "patience": sys.maxsize}
    )
    history = fit(model, windows, trainer, arguments.seed, validate)
    result_cache.write(
        arguments.to,
        {
            "windows": len(windows),
            "seconds": [row["seconds"] - pause for row, pause in zip(history, evaluating, strict=True)],
            **{name: [row[name] for row in history] for name in SHOWN},
            "peak_gb": environment.peak_gigabytes(),
        },
    )


def _metrics(model: Caser, split: movielens.Split, L: int) -> dict[str, float]:
    """All metrics on the test split."""
    recent = movielens.last_window(split, L)
    seen, held_out = (
        movielens.padded(*parts) for parts in ((split.train, split.train_start), (split.test, split.test_start))
    )
    ranks, best = [], []
    for start in range(0, split.n_users, size := users_per_batch(split.n_items)):
        rows = slice(start, start + size)
        user = np.arange(start, min(start + size, split.n_users)) + 2
        scores, seen_items = model.score_all(model((user, recent[rows]))), tf.constant(seen[rows])
        ranks.append(held_out_ranks(scores, seen_items, tf.constant(held_out[rows]))[0].numpy())
        best.append(top_items(scores, seen_items, 20)[0].numpy())
    ranked = concatenate_padded(ranks)
    some = ranked.any(axis=1)
    return all_metrics(ranked[some], concatenate_padded(best)[some], split.n_items)


if __name__ == "__main__":
    main()
