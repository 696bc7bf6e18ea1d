"""The cost of every node on larger data: `python -m benchmarks.data_scaling --data FILE --times 4 --to FILE`.

`--times` is the number of copies of MovieLens-1M. The users of a copy are new ones, and half of the items are, so that
both vocabularies grow. The configuration is the default one; `--set` overrides settings, and `--until` ends after a
node. With several results, `python -m benchmarks.data_scaling --table FILE...` prints one table.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import environment, movielens, result_cache
from pipeline.config.config import load_config
from pipeline.local.runner import run
from pipeline.pipeline import create_pipeline

# Seconds, CPU seconds, and peak memory of the process while the node runs.
_SHOWN = {"seconds": "{:,.0f} s", "cpu_seconds": "{:,.0f} s CPU", "peak_gb": "{:.1f} GB"}


class Finished(Exception):  # noqa: N818 -- a signal, no error
    """All measured nodes have finished."""


class Costs(dict[str, dict[str, float]]):
    """A `NodeObserver` that records the costs of each node."""

    def __init__(self, until: str | None) -> None:
        """Starts empty.

        Args:
            until: the last node to measure; None: all.
        """
        super().__init__()
        self._until = until

    def on_node_start(self, node_id: str) -> None:
        """Starts to measure."""
        environment.reset_peak()
        self._cpu = _cpu_seconds()

    def on_node_end(self, node_id: str, state: str, seconds: float) -> None:
        """Records a node."""
        cpu = _cpu_seconds() - self._cpu
        self[node_id] = {"seconds": seconds, "cpu_seconds": cpu, "peak_gb": environment.peak_gigabytes()}
        print(node_id, _cell(self[node_id]), flush=True)
        if node_id == self._until:
            raise Finished

    def on_node_failed(self, node_id: str, error: Exception, seconds: float) -> None:
        """Nothing to record."""


def main() -> None:
    """Runs and measures the pipeline, or prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--until", metavar="NODE")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--to", type=Path)
    parser.add_argument("--table", type=Path, nargs="+", metavar="FILE")
    arguments = parser.parse_args()
    if arguments.table:
        print("\n".join(table([json.loads(file.read_text(encoding="utf-8")) for file in arguments.table])))
        return
    if not arguments.data or not arguments.to:
        parser.error("--data and --to, or --table, are required")
    movielens.refuse_without(arguments.data)
    config = load_config(overrides=arguments.overrides)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "interactions.csv"
        movielens.write_repeated(arguments.data, arguments.times, data)
        costs = Costs(arguments.until)
        with contextlib.suppress(Finished):
            run(create_pipeline(config, str(data), str(Path(folder) / "run")), costs)
    result_cache.write(arguments.to, {"times": arguments.times, "nodes": costs})


def table(results: list[dict[str, Any]]) -> Iterator[str]:
    """Costs by node and size, as lines of Markdown."""
    results = sorted(results, key=lambda result: result["times"])
    yield "| node | " + " | ".join(f"{result['times']} x" for result in results) + " |"
    yield "|---|" + "---|" * len(results)
    for node in results[-1]["nodes"]:
        cells = (_cell(result["nodes"].get(node)) for result in results)
        yield f"| {node} | " + " | ".join(cells) + " |"


def _cell(costs: dict[str, float] | None) -> str:
    return ", ".join(text.format(costs[name]) for name, text in _SHOWN.items()) if costs else ""


def _cpu_seconds() -> float:
    """CPU seconds of this process and of finished child processes."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(part.ru_utime + part.ru_stime for part in used)


if __name__ == "__main__":
    main()
