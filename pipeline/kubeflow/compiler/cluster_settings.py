"""Settings of a cluster: volume, ML Metadata, and resources of the pods."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from components.errors import UserError
from components.settings import Settings
from pipeline.config.sources import read_yaml
from pipeline.config.validation_errors import explain

# Mount points of the backend itself (v2/compiler/argocompiler/container.go, v2/component/constants.go).
_RESERVED = ("/gcs", "/s3", "/minio", "/.cache", "/.local", "/.config", "/kfp-workspace", "/kfp-launcher")


class Toleration(Settings):
    """A toleration of a pod, as in Kubernetes."""

    key: str
    operator: Literal["Exists", "Equal"] = "Exists"
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None


class SecretKey(Settings):
    """A value in a Secret of the namespace."""

    secret: str = Field(description="name of the Secret")
    key: str = Field(description="key in the Secret")


class PodSettings(Settings):
    """Resources and scheduling of a pod; null means the default of the cluster."""

    cpu: float | None = Field(None, gt=0, description="cores")
    memory: float | None = Field(None, gt=0, description="GB")
    accelerator: str | None = Field(None, description="resource name, such as nvidia.com/gpu")
    accelerators: int = Field(1, ge=1, description="number of accelerators, if `accelerator` is set")
    node_selector: dict[str, str] = Field(default_factory=dict)
    tolerations: list[Toleration] = Field(default_factory=list)
    annotations: dict[str, str] = Field(default_factory=dict, description="annotations of the pod")
    retries: int = Field(2, ge=0, le=10, description="number of retries of a failed task")


class ClusterSettings(Settings):
    """Settings of one namespace of a cluster."""

    volume_claim: str = "caser-data"
    mount_path: str = Field("/mnt/caser", description="mount path of the volume in every task")
    artifact_root: str | None = Field(
        None, description="directory of TFX's artifacts, such as gs://bucket/caser; null: `pipeline` on the volume"
    )
    metadata_service: str = Field("caser-metadata:8080", description="host and port of ML Metadata")
    metadata_timeout: int = Field(
        300, ge=1, description="seconds for which a task waits for ML Metadata, at its start and at each later call"
    )
    image_pull_secrets: list[str] = Field(default_factory=list, description="Secrets for the registry of the image")
    env: dict[str, SecretKey] = Field(
        default_factory=dict, description="environment variables of the tasks, from Secrets of the namespace"
    )
    webhook: str | SecretKey | None = Field(
        None, description="URL, or the Secret that has it, to which failed or not blessed runs are reported"
    )
    defaults: PodSettings = Field(default_factory=PodSettings, description="defaults for nodes that are not in `nodes`")
    nodes: dict[str, PodSettings] = Field(default_factory=dict, description="settings by node id, such as CaserTrainer")

    @field_validator("mount_path")
    @classmethod
    def _is_free(cls, path: str) -> str:
        if not path.startswith("/") or path.rstrip("/") == "" or "{{" in path:
            raise ValueError(f"`mount_path` should be an absolute path below /. Received: {path!r}")
        if any(path == reserved or path.startswith(f"{reserved}/") for reserved in _RESERVED):
            raise ValueError(
                f"`mount_path` should not be one of Kubeflow's own: {', '.join(_RESERVED)}. Received: {path!r}"
            )
        return path.rstrip("/")

    @model_validator(mode="after")
    def _is_persistent(self) -> ClusterSettings:
        root = self.artifact_root
        if root is not None and "://" not in root and not f"{root}/".startswith(f"{self.mount_path}/"):
            raise ValueError(
                f"`artifact_root` should be an object store or below `mount_path`, {self.mount_path}: files that a "
                f"pod writes elsewhere are lost. Received: {root!r}"
            )
        return self

    @model_validator(mode="after")
    def _has_port(self) -> ClusterSettings:
        host, _, port = self.metadata_service.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError(f"`metadata_service` should be host:port. Received: {self.metadata_service!r}")
        return self

    @field_validator("webhook")
    @classmethod
    def _is_url(cls, webhook: str | SecretKey | None) -> str | SecretKey | None:
        if isinstance(webhook, str) and not webhook.startswith(("http://", "https://")):
            raise ValueError(f"`webhook` should be a URL, or {{secret: NAME, key: KEY}}. Received: {webhook!r}")
        return webhook

    def pod(self, node_id: str) -> PodSettings:
        """The settings of a node's pod."""
        return self.nodes.get(node_id, self.defaults)


def load_cluster(file: Path | None) -> ClusterSettings:
    """Reads the settings of a cluster.

    Args:
        file: YAML file with the fields of `ClusterSettings`; None: the defaults.

    Raises:
        UserError: the file cannot be read, or a key or value is invalid; one line per mistake.
    """
    if file is None:
        return ClusterSettings()
    try:
        return ClusterSettings.model_validate(next(iter(read_yaml(file)), {}))
    except ValidationError as error:
        known = [*ClusterSettings.model_fields, *(f"defaults.{name}" for name in PodSettings.model_fields)]
        raise UserError("\n".join(explain(error, lambda _: str(file), known))) from None
