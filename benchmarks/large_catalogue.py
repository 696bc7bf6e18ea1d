"""Serving a large catalogue by the approximate index and exactly: `python -m benchmarks.large_catalogue --to FILE`.

No index works on random vectors, so the catalogue is generated with clusters, and a model is trained on it for one
epoch. A user takes items of a few clusters, by Zipf's law within each. Both models are the same but for the index, and
are measured in turn in this process; their memory is that of a process that loads one of them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from benchmarks import result_cache
from benchmarks.serving import LOAD
from components.export.servable import ServableCaser
from components.features import FIRST_ID
from components.model.caser import Caser
from components.model.settings import ModelSettings
from components.model.window_settings import WindowSettings
from components.ranking.evaluation import HeldOutUsers
from components.trainer.fit import fit
from components.trainer.index_choice import choose_index
from components.trainer.losses.loss_choice import resolve_loss
from components.trainer.settings import TrainerSettings
from components.trainer.windows import Windows
from components.transform.histories import EncodedHistories
from components.transform.vocabulary import Vocabulary

_CLUSTER, _CLUSTERS_OF_USER, _STAY = 100, 4, 0.8
_LENGTH, _K, _D, _L = 20, 100, 100, 5


def histories(n_items: int, users: int, seed: int = 1) -> np.ndarray:
    """Generated histories.

    Args:
        n_items: size of the catalogue.
        users: number of users.
        seed: seed of everything.

    Returns:
        int64 [users, length], item columns in the order of popularity.
    """
    rng = np.random.default_rng(seed)
    clusters = rng.integers(0, n_items // _CLUSTER, [users, _CLUSTERS_OF_USER])
    weights = 1 / np.arange(1, _CLUSTER + 1)
    place = rng.choice(_CLUSTER, [users, _LENGTH], p=weights / weights.sum())
    own, current = np.zeros([users, _LENGTH], int), np.zeros(users, int)
    for step in range(_LENGTH):
        moves = rng.random(users) > _STAY
        current = np.where(moves, rng.integers(0, _CLUSTERS_OF_USER, users), current)
        own[:, step] = current
    item = np.take_along_axis(clusters, own, axis=1) * _CLUSTER + place
    # As Transform does: an id is a rank of popularity.
    rank = np.empty(n_items, int)
    rank[np.argsort(-np.bincount(item.ravel(), minlength=n_items), kind="stable")] = np.arange(n_items)
    return rank[item]


def main() -> None:
    """Trains, exports both ways, and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=5.0, help="for each figure")
    parser.add_argument("--to", type=Path, required=True)
    arguments = parser.parse_args()
    items = histories(arguments.items, arguments.users)
    with tempfile.TemporaryDirectory() as folder:
        servable, valid, taken = _train(items[:, :-1], items[:, -1:], arguments.items, Path(folder))
        started = time.monotonic()
        index, note = choose_index(servable, valid, seed=1)
        result = {"items": arguments.items, "training": taken, "building": time.monotonic() - started}
        print(note, result, flush=True)
        if index is None:
            sys.exit(note)
        result |= {"recall": index.recall, "lists": index.lists.lists, "probes": index.probes}
        models = {"exact": servable, "index": servable.with_parts(None, index)}
        for name, model in models.items():
            model.save(f"{folder}/{name}")
        for batch in (1, 8, 64):
            rows = np.random.default_rng(2).integers(0, arguments.users, batch)
            calls = {name: _call(f"{folder}/{name}", rows, items[rows, :-1]) for name in models}
            result[f"milliseconds of {batch}"] = _in_turn(calls, arguments.seconds)
            print(batch, result[f"milliseconds of {batch}"], flush=True)
        for name in models:
            # The command of benchmarks.serving loads the model and asks it once.
            done = subprocess.run([sys.executable, "-c", LOAD, f"{folder}/{name}"], capture_output=True, check=True)
            result[f"megabytes of {name}"] = json.loads(done.stdout)["bytes"] / 1e6
    result_cache.write(arguments.to, result)
    print(json.dumps(result, indent=1))


def _train(
    train: np.ndarray, held_out: np.ndarray, n_items: int, folder: Path
) -> tuple[ServableCaser, HeldOutUsers, float]:
    users, length = train.shape
    encoded = EncodedHistories.of(np.arange(users) + FIRST_ID, train.ravel() + FIRST_ID, np.full(users, length))
    keras.utils.set_random_seed(1)
    model = Caser(users, n_items, _L, ModelSettings(d=_D))
    settings = TrainerSettings(epochs=1)
    windows = Windows(encoded, WindowSettings(L=_L))
    started = time.monotonic()
    fit(model, windows, settings, seed=1)
    taken = time.monotonic() - started
    item_vocabulary, user_vocabulary = (_vocabulary(folder, *part) for part in (("items", n_items), ("users", users)))
    servable = ServableCaser(
        model, item_vocabulary, user_vocabulary, _K, resolve_loss(settings, n_items, len(windows)).loss
    )
    history = tf.RaggedTensor.from_tensor(tf.constant(train + FIRST_ID), row_splits_dtype=tf.int64)
    after = tf.RaggedTensor.from_tensor(tf.constant(held_out + FIRST_ID), row_splits_dtype=tf.int64)
    return servable, HeldOutUsers(tf.constant([f"u{n}" for n in range(users)]), history, after), taken


def _vocabulary(folder: Path, name: str, size: int) -> Vocabulary:
    (folder / name).write_text("".join(f"{name[0]}{number}\n" for number in range(size)))
    return Vocabulary(str(folder / name), size)


def _call(model: str, users: np.ndarray, recent: np.ndarray) -> Callable[[], object]:
    loaded = tf.saved_model.load(model)
    inputs = {
        "user_id": tf.constant([f"u{user}" for user in users]),
        "recent_item_ids": tf.constant([["", *(f"i{item}" for item in row)] for row in recent]),
        "exclude_item_ids": tf.constant([[""]] * len(users)),
    }
    # `loaded` must outlive its signatures.
    return lambda: loaded.signatures["serving_default"](**inputs)["scores"].numpy()


def _in_turn(calls: dict[str, Callable[[], object]], seconds: float) -> dict[str, float]:
    """Median milliseconds of each call."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    started = time.monotonic()
    while time.monotonic() - started < seconds * len(calls) or len(taken["exact"]) < 15:
        for name, call in calls.items():
            before = time.perf_counter()
            call()
            taken[name].append((time.perf_counter() - before) * 1e3)
    return {name: float(np.median(values[3:])) for name, values in taken.items()}


if __name__ == "__main__":
    main()
