"""Executor of MlflowTracker: reads the results of the other nodes."""

from __future__ import annotations

import json
import os
from typing import Any

from tfx import types
from tfx.components.util import model_utils
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils

from components.baseline_validator.result import read_result
from components.example_gen.counts import COUNTS_FILE
from components.mlflow_tracker.settings import MlflowSettings
from components.mlflow_tracker.tracking import TrackedRun, track
from components.pusher.executor import PUSHED_VERSION
from components.trainer.run_fn import HISTORY_FILE

# In the artifact: ID of the run in MLflow.
RUN_FILE = "run_id.txt"
BLESSINGS = ("model_blessing", "baseline_blessing", "drift_blessing", "refit_blessing")


class Executor(base_executor.BaseExecutor):
    """Records the run and writes its ID."""

    def Do(  # noqa: N802 -- named by TFX
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Records the run."""
        name = (self._context.pipeline_run_id if self._context else None) or "caser"
        run = read_run(name, json.loads(exec_properties["config"]), input_dict)
        run_id = track(run, MlflowSettings.model_validate_json(exec_properties["settings"]))
        io_utils.write_string_file(
            os.path.join(artifact_utils.get_single_uri(output_dict["tracked_run"]), RUN_FILE), run_id
        )


def read_run(name: str, config: dict[str, Any], input_dict: dict[str, list[types.Artifact]]) -> TrackedRun:
    """Reads what is recorded.

    Args:
        name: name of the run.
        config: settings by dotted key.
        input_dict: inputs of the node.
    """
    comparison = read_result(artifact_utils.get_single_uri(input_dict["validation"])).comparison
    counts = json.loads(
        io_utils.read_string_file(os.path.join(artifact_utils.get_single_uri(input_dict["examples"]), COUNTS_FILE))
    )
    metrics = {
        f"{part}_{metric}": value for part, values in comparison.metrics.items() for metric, value in values.items()
    }
    metrics |= {name: float(counts[name]) for name in ("interactions", "users", "items")}
    blessed = all(model_utils.is_model_blessed(blessing) for key in BLESSINGS for blessing in input_dict.get(key, []))
    tags = {"blessed": str(blessed).lower(), "reason": comparison.reason, "files": " ".join(counts["files"])}
    pushed = input_dict.get("pushed_model")
    if pushed and (version := pushed[0].get_string_custom_property(PUSHED_VERSION)):
        tags["version"] = version
    return TrackedRun(name, config, metrics, _history(artifact_utils.get_single_uri(input_dict["model_run"])), tags)


def _history(model_run: str) -> list[dict[str, float]]:
    """Loss and seconds, and metrics of the valid split with that prefix, per epoch."""
    rows = json.loads(io_utils.read_string_file(os.path.join(model_run, HISTORY_FILE)))
    plain = ("loss", "seconds", "peak_memory_gb")
    return [
        {name if name in plain else f"valid_{name}": value for name, value in row.items() if isinstance(value, float)}
        for row in rows
    ]
