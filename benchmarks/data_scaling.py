"""Data preparation and training on larger data: `python -m benchmarks.data_scaling --data FILE --times 4 --to FILE`.

Every user is repeated under new ids. The nodes are those of `caser run` up to the Trainer, which fits one epoch of
the paper's configuration.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from pathlib import Path

from benchmarks import environment, movielens, result_cache
from benchmarks.training import configuration
from pipeline.config.config import load_config
from pipeline.local.runner import run
from pipeline.pipeline import create_pipeline

_PREPARATION = ("InteractionExampleGen", "StatisticsGen", "ImportSchemaGen", "HistoryValidator", "Transform")
_TRAINER = "CaserTrainer"


class Finished(Exception):  # noqa: N818 -- a signal, no error
    """All measured nodes have finished."""


class Seconds(dict[str, float]):
    """A `NodeObserver` that records seconds and peak memory by node."""

    def __init__(self) -> None:
        """Starts empty."""
        super().__init__()
        self.peak_gb: dict[str, float] = {}

    def on_node_start(self, node_id: str) -> None:
        """Ends the run before the first node that is not measured."""
        if node_id not in (*_PREPARATION, _TRAINER):
            raise Finished

    def on_node_end(self, node_id: str, state: str, seconds: float) -> None:
        """Records a node."""
        self[node_id], self.peak_gb[node_id] = seconds, environment.peak_gigabytes()
        print(f"{node_id} {seconds:.1f} s", flush=True)

    def on_node_failed(self, node_id: str, error: Exception, seconds: float) -> None:
        """Nothing to record."""


def main() -> None:
    """Runs and measures the pipeline."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--times", type=int, required=True)
    parser.add_argument("--to", type=Path, required=True)
    arguments = parser.parse_args()
    movielens.refuse_without(arguments.data)
    paper = configuration("paper")
    config = load_config("ml-1m-caser").model_copy(
        update={
            "windows": paper.windows,
            "model": paper.model,
            "trainer": paper.trainer.model_copy(update={"epochs": 1}),
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "interactions.csv"
        movielens.write_repeated(arguments.data, arguments.times, data)
        pipeline = create_pipeline(config, str(data), str(Path(folder) / "run"))
        seconds = Seconds()
        with contextlib.suppress(Finished):
            run(pipeline, seconds)
    result_cache.write(
        arguments.to,
        {
            "times": arguments.times,
            "nodes": dict(seconds),
            "preparation": sum(seconds[node] for node in _PREPARATION),
            "training": seconds[_TRAINER],
            "preparation_peak_gb": seconds.peak_gb[_PREPARATION[-1]],
            "peak_gb": environment.peak_gigabytes(),
        },
    )


if __name__ == "__main__":
    main()
