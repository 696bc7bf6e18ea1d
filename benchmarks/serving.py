"""Latency, throughput and memory of the served signature, beside two of its parts.

The floor is the bare matrix product and top-k; the forward pass goes from ids to what items are scored with. It is
shorter than a call from Python, which no server makes, so that many are timed in one call.

    python benchmarks/serving.py                                  in process, all sizes
    python benchmarks/serving.py --items 3700 --batch 1 --batch 8
    python benchmarks/serving.py --server grpc://host:8500 --server http://host:8501 --user u1 --history i1,i2

Models are made on the spot with random weights: speed does not depend on them. A server is asked with the model that
it serves. Numbers are milliseconds; run it on an idle machine, and compare numbers of one run only.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np

ITEMS = (3_700, 100_000, 1_000_000)
BATCHES = (1, 8, 64)
USERS, L, K = 1_000, 5, 100
PASSES = 20
# Loads a model in a separate process and sends one request.
LOAD = """
import json, sys, time
import tensorflow as tf
def resident():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1]) * 1024
before, started = resident(), time.monotonic()
model = tf.saved_model.load(sys.argv[1])
model.signatures["serving_default"](user_id=tf.constant(["u1"]), recent_item_ids=tf.constant([["i1"]]),
                                    exclude_item_ids=tf.constant([[""]]))
print(json.dumps({"seconds": time.monotonic() - started, "bytes": resident() - before}))
"""


@click.command()
@click.option("--items", multiple=True, type=int, default=ITEMS, show_default=True, help="Sizes of the catalogue.")
@click.option("--batch", "batches", multiple=True, type=int, default=BATCHES, show_default=True)
@click.option("--d", default=100, show_default=True, help="Width of the embeddings.")
@click.option("--seconds", default=3.0, show_default=True, help="For each figure.")
@click.option("--server", "servers", multiple=True, metavar="URL", help="Ask this TF Serving instead.")
@click.option("--user", default="u1", show_default=True, help="For --server.")
@click.option("--history", default="i1,i2", show_default=True, help="For --server.")
def main(
    items: tuple[int, ...],
    batches: tuple[int, ...],
    d: int,
    seconds: float,
    servers: tuple[str, ...],
    user: str,
    history: str,
) -> None:
    """Measure the served signature, in process or on servers."""
    _print("what", "items", "batch", "p50", "p95", "p99", "users/s")
    if servers:
        for server in servers:
            for batch in batches:
                _report(server, "", batch, _on_server(server, user, history.split(","), batch), seconds)
        return
    for size in items:
        with tempfile.TemporaryDirectory() as folder:
            model, floor, forward, tables = make(Path(folder), size, d)
            for batch in batches:
                _report("floor", size, batch, _floor(floor, batch, d), seconds)
                _report("forward pass", size, batch, _forward(forward, size, batch), seconds, PASSES)
                _report("signature", size, batch, _in_process(model, size, batch), seconds)
            loaded = json.loads(
                subprocess.run([sys.executable, "-c", LOAD, model], capture_output=True, check=True).stdout
            )
            click.echo(
                f"load {size} items: {loaded['seconds']:.1f} s, resident {loaded['bytes'] / 1e6:.0f} MB, "
                f"tables {tables / 1e6:.0f} MB, ratio {loaded['bytes'] / tables:.2f}"
            )


def make(folder: Path, n_items: int, d: int) -> tuple[str, Callable, Callable, int]:
    """Exports a model.

    Args:
        folder: gets it.
        n_items: size of the catalogue.
        d: width of the embeddings.

    Returns:
        The SavedModel, the bare matrix product and top-k of the same size, `PASSES` forward passes, and the bytes of
        all weights.
    """
    import tensorflow as tf

    from components.export.saved_model import save_model
    from components.export.servable import ServableCaser
    from components.model.caser import Caser
    from components.model.settings import ModelSettings
    from components.transform.vocabulary import Vocabulary

    vocabularies = []
    for name, count in (("items", n_items), ("users", USERS)):
        (folder / name).write_text("".join(f"{name[0]}{number}\n" for number in range(count)))
        vocabularies.append(Vocabulary(str(folder / name), count))
    model = Caser(USERS, n_items, L, ModelSettings(d=d))
    model((np.array([2]), np.zeros([1, L], int)))
    items, users = vocabularies
    save_model(ServableCaser(model, items, users, k=K, loss="softmax"), str(folder / "model"))
    weights, bias = tf.Variable(tf.random.normal([n_items, 2 * d])), tf.Variable(model.output_bias.value)

    @tf.function(input_signature=[tf.TensorSpec([None, 2 * d], tf.float32)])
    def floor(state: tf.Tensor) -> tf.Tensor:
        return tf.math.top_k(tf.matmul(state, weights, transpose_b=True) + bias, K).values

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32), tf.TensorSpec([None, L], tf.int32)])
    def forward(user: tf.Tensor, sequence: tf.Tensor) -> tf.Tensor:
        total = tf.zeros([])
        for shift in tf.range(PASSES):
            tf.autograph.experimental.set_loop_options(parallel_iterations=1)  # sequentially
            # Different ids each time, so that nothing can be cached.
            total += tf.reduce_sum(model(((user + shift) % USERS + 2, (sequence + shift) % n_items + 2)))
        return total

    return str(folder / "model"), floor, forward, sum(int(np.prod(weight.shape)) * 4 for weight in model.weights)


def _floor(floor: Callable, batch: int, d: int) -> Callable[[], object]:
    import tensorflow as tf

    state = tf.constant(np.random.default_rng(0).normal(size=(batch, 2 * d)), tf.float32)
    return lambda: floor(state).numpy()


def _forward(forward: Callable, n_items: int, batch: int) -> Callable[[], object]:
    import tensorflow as tf

    rng = np.random.default_rng(0)
    user = tf.constant(rng.integers(0, USERS, batch), tf.int32)
    sequence = tf.constant(rng.integers(0, n_items, [batch, L]), tf.int32)
    return lambda: forward(user, sequence).numpy()


def _in_process(model: str, n_items: int, batch: int) -> Callable[[], object]:
    import tensorflow as tf

    loaded = tf.saved_model.load(model)
    rng = np.random.default_rng(0)
    inputs = {
        "user_id": tf.constant([f"u{number}" for number in rng.integers(0, USERS, batch)]),
        "recent_item_ids": tf.constant([[f"i{n}" for n in rng.integers(0, n_items, 2 * L)] for _ in range(batch)]),
        "exclude_item_ids": tf.constant([[""]] * batch),
    }
    # `loaded` must outlive its signatures.
    return lambda: loaded.signatures["serving_default"](**inputs)["scores"].numpy()


def _on_server(server: str, user: str, history: list[str], batch: int) -> Callable[[], object]:
    from pipeline.client.recommender import Query, Recommender

    recommender = Recommender.connect(server)
    queries = [Query(user, history)] * batch
    return lambda: recommender.recommend_many(queries, k=1)


def _report(what: str, size: object, batch: int, call: Callable[[], object], seconds: float, per_call: int = 1) -> None:
    for _ in range(5):
        call()
    taken: list[float] = []
    started = time.perf_counter()
    while time.perf_counter() - started < seconds or len(taken) < 10:
        before = time.perf_counter()
        call()
        taken.append((time.perf_counter() - before) / per_call)
    p50, p95, p99 = np.percentile(taken, [50, 95, 99]) * 1e3
    _print(what, size, batch, f"{p50:.2f}", f"{p95:.2f}", f"{p99:.2f}", f"{batch * len(taken) / sum(taken):.0f}")


def _print(*parts: object) -> None:
    click.echo("".join(f"{part!s:<26}" if place == 0 else f"{part!s:>10}" for place, part in enumerate(parts)))


if __name__ == "__main__":
    main()
