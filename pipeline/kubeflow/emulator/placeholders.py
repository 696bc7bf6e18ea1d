"""Fills the placeholders of a task's arguments as Kubeflow's launcher does (v2/component/launcher_v2.go)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_RUN_ID = "{{$.pipeline_job_uuid}}"


def resolve_inputs(task: dict[str, Any], run_values: Mapping[str, Any], run_id: str) -> dict[str, Any]:
    """The parameters of a task, as the driver resolves them.

    Args:
        task: PipelineTaskSpec.
        run_values: parameters of the run.
        run_id: of the run; stands for its placeholder only where that is the whole value.
    """
    values: dict[str, Any] = {}
    for name, source in task["inputs"]["parameters"].items():
        if "componentInputParameter" in source:
            values[name] = run_values[source["componentInputParameter"]]
        else:
            constant = source["runtimeValue"]["constant"]
            values[name] = run_id if constant == _RUN_ID else constant
    return values


def executor_input(inputs: Mapping[str, Any], artifacts: Mapping[str, dict[str, Any]], folder: Path) -> dict[str, Any]:
    """Kubeflow's `ExecutorInput` of a task.

    Args:
        inputs: parameters.
        artifacts: `outputDefinitions` by name.
        folder: where the pod writes outputs; stands for the mounted bucket.
    """
    return {
        "inputs": {"parameterValues": dict(inputs)},
        "outputs": {
            "artifacts": {
                name: {"artifacts": [{"name": name, "type": spec["artifactType"], "uri": str(folder / name)}]}
                for name, spec in artifacts.items()
            },
            "outputFile": str(folder / "output_metadata.json"),
        },
    }


def fill(text: str, task_input: dict[str, Any]) -> str:
    """Replaces all known placeholders; unknown ones stay, as they do in Kubeflow.

    Args:
        text: argument.
        task_input: from `executor_input`.
    """
    replacements = {"{{$}}": json.dumps(task_input)}
    for name, value in task_input["inputs"]["parameterValues"].items():
        replacements[f"{{{{$.inputs.parameters['{name}']}}}}"] = _text(value)
    for name, listed in task_input["outputs"]["artifacts"].items():
        for field in ("uri", "path"):
            replacements[f"{{{{$.outputs.artifacts['{name}'].{field}}}}}"] = listed["artifacts"][0]["uri"]
    for placeholder, value in replacements.items():
        text = text.replace(placeholder, value)
    return text


def _text(value: Any) -> str:
    """As Go prints it: true, 5, and text as it is."""
    return value if isinstance(value, str) else json.dumps(value)
