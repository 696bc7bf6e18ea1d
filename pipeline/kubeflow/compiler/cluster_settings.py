"""Where the pipeline runs: volume, ML Metadata, and what each pod gets. What is learned is `pipeline.config`'s."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from components.errors import UserError
from components.settings import Settings
from pipeline.config.sources import read_text
from pipeline.config.suggestions import closest_match

# The backend mounts folders of its own there (v2/compiler/argocompiler/container.go, v2/component/constants.go).
_TAKEN = ("/gcs", "/s3", "/minio", "/.cache", "/.local", "/.config", "/kfp-workspace", "/kfp-launcher")


class Toleration(Settings):
    """As in a pod; see the documentation of Kubernetes."""

    key: str
    operator: Literal["Exists", "Equal"] = "Exists"
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None


class PodSettings(Settings):
    """What a pod gets; null leaves it to the cluster."""

    cpu: float | None = Field(None, gt=0, description="cores")
    memory: float | None = Field(None, gt=0, description="GB")
    accelerator: str | None = Field(None, description="resource name, such as nvidia.com/gpu")
    accelerators: int = Field(1, ge=1, description="how many, where `accelerator` is set")
    node_selector: dict[str, str] = Field(default_factory=dict)
    tolerations: list[Toleration] = Field(default_factory=list)
    retries: int = Field(2, ge=0, le=10, description="of a task that failed")


class ClusterSettings(Settings):
    """One namespace of a cluster."""

    volume_claim: str = "caser-data"
    mount_path: str = Field("/mnt/caser", description="of the volume, in every task")
    artifact_root: str | None = Field(
        None, description="where TFX's artifacts go, such as gs://bucket/caser; null: `pipeline` on the volume"
    )
    metadata_service: str = Field("caser-metadata:8080", description="host and port of ML Metadata")
    metadata_timeout: int = Field(60, ge=1, description="seconds to wait for ML Metadata")
    defaults: PodSettings = Field(default_factory=PodSettings, description="for nodes that `nodes` does not name")
    nodes: dict[str, PodSettings] = Field(default_factory=dict, description="by node id, such as CaserTrainer")

    @field_validator("mount_path")
    @classmethod
    def _is_free(cls, path: str) -> str:
        if not path.startswith("/") or path.rstrip("/") == "" or "{{" in path:
            raise ValueError(f"`mount_path` should be an absolute path below /. Received: {path!r}")
        if any(path == taken or path.startswith(f"{taken}/") for taken in _TAKEN):
            raise ValueError(
                f"`mount_path` should not be one of Kubeflow's own: {', '.join(_TAKEN)}. Received: {path!r}"
            )
        return path.rstrip("/")

    @model_validator(mode="after")
    def _outlives_a_pod(self) -> ClusterSettings:
        root = self.artifact_root
        if root is not None and "://" not in root and not f"{root}/".startswith(f"{self.mount_path}/"):
            raise ValueError(
                f"`artifact_root` should be an object store or below `mount_path`, {self.mount_path}: what a pod "
                f"writes elsewhere is gone with it. Received: {root!r}"
            )
        return self

    @model_validator(mode="after")
    def _has_port(self) -> ClusterSettings:
        host, _, port = self.metadata_service.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError(f"`metadata_service` should be host:port. Received: {self.metadata_service!r}")
        return self

    def pod(self, node_id: str) -> PodSettings:
        """What the pod of a node gets."""
        return self.nodes.get(node_id, self.defaults)


def load_cluster(file: Path | None) -> ClusterSettings:
    """Reads the settings of a cluster.

    Args:
        file: YAML with the fields of `ClusterSettings`; None: the defaults.

    Raises:
        UserError: it cannot be read, or a key or value does not fit; one line per mistake.
    """
    if file is None:
        return ClusterSettings()
    try:
        values = yaml.safe_load(read_text(file)) or {}
    except yaml.YAMLError as error:
        raise UserError(f"{file}: this is not YAML: {' '.join(str(error).split())}.") from None
    try:
        return ClusterSettings.model_validate(values)
    except ValidationError as error:
        raise UserError("\n".join(f"{file}: {line}" for line in _explained(error))) from None


def _explained(error: ValidationError) -> Iterator[str]:
    for mistake in error.errors():
        place = ".".join(map(str, mistake["loc"]))
        if mistake["type"] == "value_error":
            yield mistake["msg"].removeprefix("Value error, ")
        elif mistake["type"] == "extra_forbidden":
            yield f"there is no setting `{place}`. Did you mean `{closest_match(place, _known())}`?"
        else:
            allowed = mistake["msg"].removeprefix("Input should be ").removeprefix("Input ")
            yield f"`{place}` should be {allowed}. Received: {_short(mistake['input'])}"


def _known() -> list[str]:
    return [*ClusterSettings.model_fields, *(f"defaults.{name}" for name in PodSettings.model_fields)]


def _short(value: Any) -> str:
    return repr(value)[:80]
