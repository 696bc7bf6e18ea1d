"""A stand-in for TensorFlow Serving's versions, labels and polls, as seen on the real server.

Each rule is one that the real server was seen to follow, faults included: a configuration replaces the whole list of
models; one that moves a label to a version that is not AVAILABLE is rejected as a whole; the file is applied again at
each poll; requests without a label get the highest loaded version. `tests/support/tf_serving_process.py` puts it behind
REST and gRPC, with batching.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import grpc
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

START, LOADING, AVAILABLE, UNLOADING, END = "START", "LOADING", "AVAILABLE", "UNLOADING", "END"


class ServingError(Exception):
    """What the server answers instead of a result."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Clock(Protocol):
    def monotonic(self) -> float: ...


@dataclass
class Loaded:
    """One version on the server."""

    state: str
    ready_at: float
    error: str = ""


@dataclass
class Model:
    """One model of the configuration."""

    config: model_server_config_pb2.ModelConfig
    versions: dict[int, Loaded] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)


@dataclass
class Flags:
    """The flags of the server that matter here, with the names of the real ones."""

    model_config_file: str
    model_config_file_poll_wait_seconds: float = 0
    file_system_poll_wait_seconds: float = 1
    allow_version_labels_for_unavailable_models: bool = True


class ModelServer:
    """State of one server; `tick` brings it up to the time of its clock."""

    def __init__(
        self,
        flags: Flags,
        clock: Clock,
        load: Callable[[Path], str] = lambda folder: "",
        load_seconds: Callable[[int], float] = lambda version: 0.0,
        unload: Callable[[Path], None] = lambda folder: None,
    ) -> None:
        """Starts the server: it reads its configuration and looks for versions.

        Args:
            flags: flags of the server.
            clock: the time.
            load: loads a version from its folder; returns what is wrong with it, "" if nothing is.
            load_seconds: how long that takes.
            unload: is called with the folder of an unloaded version.
        """
        self.flags, self.log = flags, []
        self._clock, self._load, self._load_seconds, self._unload = clock, load, load_seconds, unload
        self._lock = threading.RLock()
        self._models: dict[str, Model] = {}
        now = clock.monotonic()
        self._next_config = now + (flags.model_config_file_poll_wait_seconds or float("inf"))
        self._next_scan = now
        self._poll_config()
        self.tick()

    def tick(self) -> None:
        """Polls, loads and unloads whatever is due."""
        with self._lock:
            now = self._clock.monotonic()
            if now >= self._next_config:
                self._next_config = now + self.flags.model_config_file_poll_wait_seconds
                self._poll_config()
            if now >= self._next_scan:
                self._next_scan = now + self.flags.file_system_poll_wait_seconds
                self._aspire()
            for model in self._models.values():
                self._progress(model, now)

    def reload(self, config: model_server_config_pb2.ModelServerConfig) -> None:
        """HandleReloadConfigRequest.

        Raises:
            ServingError: the configuration is rejected; nothing changes.
        """
        with self._lock:
            self.tick()
            labels: dict[str, dict[str, int]] = {}
            for model in config.model_config_list.config:
                labels[model.name] = {}
                for label, version in model.version_labels.items():
                    self._check_label(model.name, label, version)
                    labels[model.name][label] = version
            models = {}
            for model in config.model_config_list.config:
                known = self._models.get(model.name)
                models[model.name] = Model(model, known.versions if known else {}, labels[model.name])
            for name in self._models.keys() - models.keys():
                for version in self._models[name].versions:
                    self._unload(self._folder(self._models[name], version))
            self._models = models
            self._aspire()
            self.tick()

    def statuses(self, name: str) -> dict[int, Loaded]:
        """GetModelStatus, newest version first."""
        with self._lock:
            self.tick()
            if name not in self._models or not self._models[name].versions:
                raise ServingError(grpc.StatusCode.NOT_FOUND, f"Could not find any versions of model {name}")
            return dict(sorted(self._models[name].versions.items(), reverse=True))

    def resolve(self, name: str, label: str = "", version: int | None = None) -> tuple[int, Path]:
        """The version that answers a request, and its folder."""
        with self._lock:
            self.tick()
            model = self._models.get(name)
            if label:
                if model is None or label not in model.labels:
                    raise ServingError(
                        grpc.StatusCode.INVALID_ARGUMENT, f"Unrecognized servable version label: {label}"
                    )
                version = model.labels[label]
            versions = model.versions if model else {}
            available = [number for number, loaded in versions.items() if loaded.state == AVAILABLE]
            if model is None or not available or (version is not None and version not in available):
                wanted = f"Latest({name})" if version is None else f"Specific({name}, {version})"
                raise ServingError(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {wanted}")
            chosen = max(available) if version is None else version
            return chosen, self._folder(model, chosen)

    def labels(self, name: str) -> dict[str, int]:
        """The labels that requests may use now."""
        with self._lock:
            self.tick()
            return dict(self._models[name].labels) if name in self._models else {}

    def models(self) -> list[str]:
        """The models that are configured."""
        return sorted(self._models)

    def _check_label(self, name: str, label: str, version: int) -> None:
        known = self._models.get(name)
        is_available = known is not None and version in known.versions and known.versions[version].state == AVAILABLE
        moves = known is not None and known.labels.get(label, version) != version
        if not is_available and (moves or not self.flags.allow_version_labels_for_unavailable_models):
            raise ServingError(
                grpc.StatusCode.FAILED_PRECONDITION,
                f"Request to assign label to version {version} of model {name}, which is not currently available for "
                "inference",
            )

    def _poll_config(self) -> None:
        config = model_server_config_pb2.ModelServerConfig()
        try:
            text_format.Parse(Path(self.flags.model_config_file).read_text(), config)
            self.reload(config)
        except (OSError, text_format.ParseError, ServingError) as error:
            self.log.append(str(error))

    def _folder(self, model: Model, version: int) -> Path:
        return Path(model.config.base_path) / str(version)

    def _aspire(self) -> None:
        """Looks for versions; those that are wanted and new begin to load."""
        for model in self._models.values():
            wanted = self._wanted(model)
            for version in wanted - model.versions.keys():
                ready = self._clock.monotonic() + self._load_seconds(version)
                model.versions[version] = Loaded(LOADING, ready)
            for version in wanted:
                if model.versions[version].state == END and not model.versions[version].error:
                    model.versions[version] = Loaded(LOADING, self._clock.monotonic() + self._load_seconds(version))

    def _wanted(self, model: Model) -> set[int]:
        folder, policy = model.config.base_path, model.config.model_version_policy
        names = os.listdir(folder) if os.path.isdir(folder) else []
        present = sorted(int(name) for name in names if name.isdigit())
        if policy.HasField("specific"):
            return set(policy.specific.versions) & set(present)
        if policy.HasField("all"):
            return set(present)
        return set(present[-max(policy.latest.num_versions, 1) :])

    def _progress(self, model: Model, now: float) -> None:
        for version, loaded in model.versions.items():
            if loaded.state == LOADING and now >= loaded.ready_at:
                loaded.error = self._load(self._folder(model, version))
                loaded.state = END if loaded.error else AVAILABLE
        wanted = self._wanted(model)
        # A version is unloaded only when another one can answer.
        if not wanted or any(model.versions[version].state == AVAILABLE for version in wanted & model.versions.keys()):
            for version in model.versions.keys() - wanted:
                if model.versions[version].state == AVAILABLE:
                    self._unload(self._folder(model, version))
                # It is loaded anew when it is wanted again, also after a failure.
                model.versions[version] = Loaded(END, 0)
