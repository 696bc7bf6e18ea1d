"""Replaces placeholders in the arguments of a task, as Kubeflow's launcher does (v2/component/launcher_v2.go)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_RUN_ID = "{{$.pipeline_job_uuid}}"


def resolve_inputs(task: dict[str, Any], run_values: Mapping[str, Any], run_id: str) -> dict[str, Any]:
    """Resolves the parameters of a task, as Kubeflow's driver does.

    Args:
        task: PipelineTaskSpec.
        run_values: run parameters.
        run_id: ID of the run; replaces its placeholder only if that is the whole value.
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
        inputs: parameters of the task.
        artifacts: `outputDefinitions` by name.
        folder: directory of the outputs; stands in for the mounted bucket.
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
    """Replaces known placeholders; unknown ones are kept, as in Kubeflow.

    Args:
        text: argument of the task.
        task_input: result of `executor_input`.
    """
    replacements = {"{{$}}": json.dumps(task_input)}
    for name, value in task_input["inputs"]["parameterValues"].items():
        replacements[f"{{{{$.inputs.parameters['{name}']}}}}"] = _text(value)
    for name, artifact_list in task_input["outputs"]["artifacts"].items():
        for field in ("uri", "path"):
            replacements[f"{{{{$.outputs.artifacts['{name}'].{field}}}}}"] = artifact_list["artifacts"][0]["uri"]
    for placeholder, value in replacements.items():
        text = text.replace(placeholder, value)
    return text


def _text(value: Any) -> str:
    """The value as Go formats it: true, 5, and text unchanged."""
    return value if isinstance(value, str) else json.dumps(value)
