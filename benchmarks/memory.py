"""Memory of evaluation by number of users: `python -m benchmarks.memory --users 20000 80000 --to FILE`.

Evaluator and BaselineValidator rank the same generated users with the same model, each in a process of its own, with
the local Beam runner. What they hold must not grow with the users.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from tfx import v1 as tfx
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils, channel_utils, standard_artifacts

from benchmarks import environment, result_cache
from benchmarks.batch import write_model, write_users
from components.baseline_validator.component import BaselineValidator
from components.evaluator.config import eval_config
from components.evaluator.settings import EvaluatorSettings
from components.features import ITEM_VOCABULARY, TEST, TRAIN
from pipeline.pipeline import LOCAL_BEAM_ARGS

NODES = ("Evaluator", "BaselineValidator")
_HELD_OUT = 5


def measure(node: str, users: int, items: int) -> dict[str, Any]:
    """Peak memory of this process before and while a node runs.

    Args:
        node: one of NODES.
        users: number of users in train and test.
        items: number of items in the catalogue.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for split in (TRAIN, TEST):
            write_users(folder / "examples" / f"Split-{split}", users, items, _HELD_OUT if split == TEST else 0)
        (folder / "model").mkdir()
        write_model(folder / "model", users, items)
        (folder / "model" / "model").rename(folder / "model" / "Format-Serving")
        assets = folder / "transform" / "transform_fn" / "assets"
        assets.mkdir(parents=True)
        (folder / "model" / ITEM_VOCABULARY).rename(assets / ITEM_VOCABULARY)
        (folder / "transform" / "transformed_metadata").mkdir()
        (folder / "transform" / "transformed_metadata" / "schema.pbtxt").write_text("")
        component, inputs = _component(node, folder)
        outputs = {key: [channel.type()] for key, channel in component.outputs.items()}
        for key, (artifact,) in outputs.items():
            artifact.uri = str(folder / "outputs" / key)
        context = base_beam_executor.BaseBeamExecutor.Context(
            beam_pipeline_args=list(LOCAL_BEAM_ARGS), tmp_dir=str(folder / "tmp"), unique_id="1"
        )
        environment.reset_peak()
        before = environment.peak_gigabytes()
        component.executor_spec.executor_class(context).Do(inputs, outputs, component.exec_properties)
        return {"node": node, "users": users, "before_gb": before, "peak_gb": environment.peak_gigabytes()}


def _component(node: str, folder: Path) -> tuple[Any, dict[str, list[Any]]]:
    kinds = {
        "examples": (standard_artifacts.Examples, "examples"),
        "model": (standard_artifacts.Model, "model"),
        "transform_graph": (standard_artifacts.TransformGraph, "transform"),
    }
    artifacts = {}
    for key, (kind, place) in kinds.items():
        artifacts[key] = kind()
        artifacts[key].uri = str(folder / place)
    artifacts["examples"].split_names = artifact_utils.encode_split_names([TRAIN, TEST])
    if node == "Evaluator":
        del artifacts["transform_graph"]
    channels: dict[str, Any] = {key: channel_utils.as_channel([artifact]) for key, artifact in artifacts.items()}
    inputs = {key: [artifact] for key, artifact in artifacts.items()}
    settings = EvaluatorSettings()
    if node == "Evaluator":
        config = eval_config(settings)
        return tfx.components.Evaluator(**channels, eval_config=config, example_splits=[TEST]), inputs
    return BaselineValidator(**channels, settings=settings, split=TEST), inputs


def main() -> None:
    """Measures all nodes and numbers of users, or one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, nargs="+", default=[20_000, 80_000])
    parser.add_argument("--items", type=int, default=3_700)
    parser.add_argument("--node", choices=NODES)
    parser.add_argument("--to", type=Path, required=True)
    arguments = parser.parse_args()
    if arguments.node:
        result_cache.write(arguments.to, measure(arguments.node, arguments.users[0], arguments.items))
        return
    results = []
    for node in NODES:
        for users in arguments.users:
            part = arguments.to.with_name(f"{arguments.to.stem}-{node}-{users}.json")
            command = ["-m", "benchmarks.memory", "--users", users, "--items", arguments.items, "--node", node]
            if (result := result_cache.measured(part, command)) is None:
                sys.exit(1)
            results.append(result)
    for result in results:
        print(f"| {result['node']} | {result['users']:,} | {result['before_gb']:.2f} | {result['peak_gb']:.2f} |")
    result_cache.write(arguments.to, results)


if __name__ == "__main__":
    main()
