"""Compiled pipeline files: YAML with two documents, as in Kubeflow's SDK and backend."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from components.errors import UserError
from components.files import write_text
from pipeline.config.sources import read_yaml
from pipeline.kubeflow.nodes.node_file import write_nodes
from pipeline.kubeflow.nodes.task_names import EXIT_TASK, NODES_TASK

# etcd rejects objects of 1.5 MB, and the backend's Argo workflow contains every argument several times.
MAX_BYTES = 256_000
_KUBERNETES = "kubernetes"


class SpecFile(NamedTuple):
    """The content of a compiled pipeline file.

    Attributes:
        pipeline: PipelineSpec.
        executors: executors of the PlatformSpec for Kubernetes, by label.
    """

    pipeline: dict[str, Any]
    executors: dict[str, dict[str, Any]]


class Tasks(NamedTuple):
    """The tasks of a pipeline.

    Attributes:
        nodes: tasks of the nodes, by name.
        exit_task: the task that runs after all others; None: there is none.
    """

    nodes: dict[str, Any]
    exit_task: dict[str, Any] | None


def tasks_of(pipeline: dict[str, Any]) -> Tasks:
    """The tasks of a PipelineSpec, with or without a sub-DAG."""
    tasks = pipeline["root"]["dag"]["tasks"]
    if NODES_TASK not in tasks:
        return Tasks(tasks, None)
    component = pipeline["components"][tasks[NODES_TASK]["componentRef"]["name"]]
    return Tasks(component["dag"]["tasks"], tasks.get(EXIT_TASK))


def write_spec(pipeline: dict[str, Any], platform: dict[str, Any], file: Path, nodes: Iterable[str] = ()) -> int:
    """Writes a compiled pipeline atomically, after the node payload files that it refers to.

    Args:
        pipeline: PipelineSpec.
        platform: PlatformSpec.
        file: path of the file.
        nodes: payloads of large nodes, see `node_file`.

    Returns:
        The size of the file in bytes.

    Raises:
        UserError: the file would be too large for a cluster, or cannot be written.
    """
    text = yaml.safe_dump_all([pipeline, platform], sort_keys=True, allow_unicode=True, width=120)
    size = len(text.encode())
    if size > MAX_BYTES:
        raise UserError(
            f"The compiled pipeline has {size:,} bytes, above the limit of {MAX_BYTES:,}. "
            "Hint: shorten the cluster settings, --data or --image."
        )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_nodes(nodes, file.parent)
        write_text(file, text)
    except OSError as error:
        raise UserError(f"Cannot write {file}: {error.strerror}. Hint: check --output.") from None
    return size


def read_spec(file: Path) -> SpecFile:
    """Reads a compiled pipeline file.

    Args:
        file: path of the file.

    Raises:
        UserError: the file cannot be read, or is not a compiled pipeline.
    """
    documents = [document for document in read_yaml(file) if isinstance(document, dict)]
    pipelines = [document for document in documents if "pipelineInfo" in document]
    if len(pipelines) != 1:
        raise UserError(f"{file} is not a compiled pipeline. Hint: create it with `caser kubeflow compile`.")
    platforms = [document for document in documents if "platforms" in document]
    kubernetes = platforms[0]["platforms"].get(_KUBERNETES, {}) if platforms else {}
    return SpecFile(pipelines[0], kubernetes.get("deploymentSpec", {}).get("executors", {}))
