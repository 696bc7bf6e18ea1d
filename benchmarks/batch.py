"""Batch recommendations: `python -m benchmarks.batch --users 1000000 --to FILE`.

Users with random histories, and a model with random weights and sequential rules: what is measured does not depend on
their values. Seconds are those of the Beam pipeline, from files to one Parquet file; peak memory that of the process.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import apache_beam as beam
import keras
import numpy as np

from benchmarks import environment, result_cache
from components.batch_recommender.beam_pipeline import BatchOutput, recommend_for_all
from components.example_gen.raw_examples import serialize_example
from components.example_gen.shards import write_shard
from components.export.saved_model import save_model
from components.export.servable import ServableCaser
from components.model.caser import Caser
from components.model.settings import ModelSettings
from components.sequential_rules.scorer import Rules, RuleScorer
from components.sequential_rules.tables import RuleTables
from components.transform.vocabulary import Vocabulary
from pipeline.pipeline import LOCAL_BEAM_ARGS

_HISTORY, _USERS_PER_SHARD, _FOLLOWERS = 40, 25_000, 256


def write_model(folder: Path, users: int, items: int) -> str:
    """Exports a model with random weights."""
    vocabularies = {}
    for name, count in (("items", items), ("users", users)):
        (folder / name).write_text("".join(f"{name[0]}{n}\n" for n in range(count)))
        vocabularies[name] = Vocabulary(str(folder / name), count)
    keras.utils.set_random_seed(1)
    model = Caser(users, items, 5, ModelSettings())
    model.build_weights()
    rng, followers = np.random.default_rng(1), min(_FOLLOWERS, items)
    tables = RuleTables(
        np.arange(items + 1) * followers,
        rng.integers(items, size=items * followers).astype(np.int32),
        rng.random(items * followers, np.float32),
        20,
        0.8,
    )
    rules = Rules(RuleScorer(tables), 1.0)
    servable = ServableCaser(model, vocabularies["items"], vocabularies["users"], 100, "softmax", rules)
    save_model(servable, str(folder / "model"))
    return str(folder / "model")


def write_users(folder: Path, users: int, items: int, held_out: int = 0) -> list[str]:
    """Writes raw Examples with 20 to 60 random items each, of which some are held out."""
    rng, shards = np.random.default_rng(2), -(-users // _USERS_PER_SHARD)
    names = [f"i{n}".encode() for n in range(items)]
    for shard in range(shards):
        first = shard * _USERS_PER_SHARD
        chosen = range(first, min(first + _USERS_PER_SHARD, users))
        lengths = rng.integers(_HISTORY // 2, _HISTORY * 3 // 2, len(chosen))
        histories = ([names[item] for item in rng.integers(items, size=length)] for length in lengths)
        records = (
            serialize_example(
                f"u{user}".encode(), history[: len(history) - held_out], history[len(history) - held_out :]
            )
            for user, history in zip(chosen, histories, strict=True)
        )
        write_shard(str(folder), "data", shard, shards, records)
    return sorted(str(file) for file in folder.iterdir())


def main() -> None:
    """Writes the input, recommends, prints and stores the costs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--items", type=int, default=3_700)
    parser.add_argument("--to", type=Path, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = write_users(folder / "Split-all", arguments.users, arguments.items)
        model = write_model(folder, arguments.users, arguments.items)
        environment.reset_peak()
        started = time.monotonic()
        with beam.Pipeline(argv=list(LOCAL_BEAM_ARGS)) as pipeline:
            output = BatchOutput(str(folder / "all.parquet"), "parquet", single_file=True)
            recommend_for_all(pipeline, files, model, 10, output)
        seconds = time.monotonic() - started
        size = (folder / "all.parquet").stat().st_size
    result = {
        "users": arguments.users,
        "items": arguments.items,
        "seconds": seconds,
        "users_per_second": arguments.users / seconds,
        "peak_gb": environment.peak_gigabytes(),
        "megabytes": size / 1e6,
    }
    print(result)
    result_cache.write(arguments.to, result)


if __name__ == "__main__":
    main()
