"""A compiled pipeline as a file: YAML with two documents, as Kubeflow's SDK writes and its backend reads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from components.errors import UserError
from pipeline.config.sources import read_text
from pipeline.files import write_text
from pipeline.kubeflow.nodes.node_file import write_nodes

# etcd refuses objects of 1.5 MB, and the backend's Argo workflow holds every argument several times.
MAX_BYTES = 256_000
_KUBERNETES = "kubernetes"


class SpecFile(NamedTuple):
    """The documents of a file.

    Attributes:
        pipeline: PipelineSpec.
        executors: of the PlatformSpec for Kubernetes, by label.
    """

    pipeline: dict[str, Any]
    executors: dict[str, dict[str, Any]]


def write_spec(pipeline: dict[str, Any], platform: dict[str, Any], file: Path, nodes: Iterable[str] = ()) -> int:
    """Writes both documents at once, after the nodes that they refer to.

    Args:
        pipeline: PipelineSpec.
        platform: PlatformSpec.
        file: is replaced.
        nodes: texts that are files of their own, see `node_file`.

    Returns:
        Its size in bytes.

    Raises:
        UserError: it would be too large for a cluster, or cannot be written.
    """
    text = yaml.safe_dump_all([pipeline, platform], sort_keys=True, allow_unicode=True, width=120)
    size = len(text.encode())
    if size > MAX_BYTES:
        raise UserError(
            f"The compiled pipeline has {size:,} bytes; a cluster takes {MAX_BYTES:,}. Hint: shorten what is longest "
            "in it: settings of the cluster, --data or --image."
        )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_nodes(nodes, file.parent)
        write_text(file, text)
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error.strerror}.") from None
    return size


def read_spec(file: Path) -> SpecFile:
    """Reads what `write_spec` wrote.

    Raises:
        UserError: it cannot be read, or is no compiled pipeline.
    """
    try:
        documents = [document for document in yaml.safe_load_all(read_text(file)) if document]
    except yaml.YAMLError as error:
        raise UserError(f"{file}: this is not YAML: {' '.join(str(error).split())}.") from None
    pipelines = [document for document in documents if isinstance(document, dict) and "pipelineInfo" in document]
    if len(pipelines) != 1:
        raise UserError(f"{file} is no compiled pipeline. Hint: make it with `caser kubeflow compile`.")
    platforms = [document for document in documents if isinstance(document, dict) and "platforms" in document]
    kubernetes = platforms[0]["platforms"].get(_KUBERNETES, {}) if platforms else {}
    return SpecFile(pipelines[0], kubernetes.get("deploymentSpec", {}).get("executors", {}))
