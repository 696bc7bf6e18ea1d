"""Promote and rollback: move a label in `models.config` and on running servers.

TF Serving replaces its whole list of models by each reload request and each time it reads the file again, and rejects
all of a configuration that moves a label to a version which is not yet AVAILABLE. So a label moves in three steps, each
written to the file first and then sent to the named servers with all other models of the file:

1. loading: the old labels, both versions loaded. Then wait until the version is AVAILABLE.
2. moved: the new labels, both versions loaded.
3. settled: the new labels, and only the versions that are needed.

A server that is not named reads the same steps from the file. If anything fails before all servers have accepted step
2, the former file is restored, and sent to the named servers.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from tensorflow_serving.config import model_server_config_pb2

from components.errors import UserError
from components.export.signatures import STABLE
from components.files import exclusive_lock, write_text
from components.pusher.models_config import (
    LabelMove,
    ModelsConfig,
    ServedModel,
    config_path,
    parse_policy,
    policy_text,
    read_config,
    specific,
    to_text,
    version_before,
    with_model,
)
from components.pusher.version_dirs import versions
from pipeline.client.grpc_transport import GrpcTransport
from pipeline.client.transport import Connection, Transport
from pipeline.deployment.servers import every_address
from pipeline.deployment.wait import Clock, wait_until_available


class LabelTransport(Transport, Protocol):
    """A transport that can also reload the configuration of a server."""

    def reload(self, config: model_server_config_pb2.ModelServerConfig) -> None:
        """Replaces the configuration of a server."""


class Rollout(NamedTuple):
    """Where labels are moved, and how long to wait.

    Attributes:
        model_dir: directory of all versions; `models.config` is beside it.
        servers: named servers, by gRPC; others read `models.config`.
        base_path: `model_dir` as the servers see it; None: as in `models.config`.
        load_timeout: seconds a server may take to load a version.
        poll_interval: seconds after which a server that is not named has read `models.config` again.
        say: is called with one line per completed step.
        connect: creates the transport to a server.
        clock: the time.
    """

    model_dir: str
    servers: Sequence[Connection] = ()
    base_path: str | None = None
    load_timeout: float = 120.0
    poll_interval: float = 30.0
    say: Callable[[str], None] = print
    connect: Callable[[Connection], LabelTransport] = GrpcTransport
    clock: Clock = time


def promote(rollout: Rollout, version: int, label: str = STABLE) -> None:
    """Assigns a label to a version.

    Args:
        rollout: where and how.
        version: version to promote.
        label: label such as `stable` or `canary`.

    Raises:
        UserError: the version does not exist or a server fails; labels, file and servers are as before.
    """
    with _locked(rollout.model_dir):
        present = versions(rollout.model_dir)
        if version not in present:
            known = ", ".join(map(str, present)) or "none"
            raise UserError(f"Version {version} does not exist in {rollout.model_dir}. Versions: {known}.")
        former = _settled(read_config(config_path(rollout.model_dir)))
        served = former.served
        before = served.labels.get(label)
        if before == version:
            rollout.say(f"{label} is {version} already")
            return
        move = LabelMove(label, version, before, policy_text(served.policy))
        target = served._replace(labels={**served.labels, label: version}, moves=(*served.moves, move))
        _move(rollout, former, _with_needed_versions(target, served), present)


def rollback(rollout: Rollout, label: str = STABLE) -> None:
    """Assigns a label to the version that it had before the last promotion, or removes it if it had none.

    If there are no labels yet, it is assigned to the version before the newest.

    Args:
        rollout: where and how.
        label: label to move back.

    Raises:
        UserError: there is no former version or a server fails; labels, file and servers are as before.
    """
    with _locked(rollout.model_dir):
        present = versions(rollout.model_dir)
        former = _settled(read_config(config_path(rollout.model_dir)))
        served = former.served
        if not served.labels:
            _move(rollout, former, _before_the_newest(rollout.model_dir, served, label, present), present)
            return
        move = version_before(served, label)
        if move is None:
            raise UserError(
                f"It is not recorded where `{label}` pointed before. Versions: {', '.join(map(str, present))}. "
                f"Hint: caser promote VERSION --label {label} --model {rollout.model_dir}"
            )
        if move.before is not None and move.before not in present:
            raise UserError(
                f"Version {move.before}, to which `{label}` pointed before, is no longer in {rollout.model_dir}. "
                f"Versions: {', '.join(map(str, present))}. Hint: publish its model again with `caser push`."
            )
        labels = {**served.labels, label: move.before} if move.before is not None else dict(served.labels)
        if move.before is None:
            del labels[label]
        target = served._replace(labels=labels, moves=tuple(other for other in served.moves if other != move))
        target = _with_needed_versions(target, served)
        if not labels:
            target = target._replace(policy=parse_policy(move.policy))
        _move(rollout, former, target, present)


def _before_the_newest(model_dir: str, served: ServedModel, label: str, present: list[int]) -> ServedModel:
    if len(present) < 2:
        raise UserError(
            f"There is no version before the newest in {model_dir}. Hint: raise `pusher.keep`, or publish an older "
            "model again with `caser push`."
        )
    version = present[-2]
    move = LabelMove(label, version, None, policy_text(served.policy))
    return _with_needed_versions(served._replace(labels={label: version}, moves=(*served.moves, move)), served)


def _settled(config: ModelsConfig) -> ModelsConfig:
    """The configuration without the additional versions of a promotion that was killed."""
    served = config.served
    if served.settled is None:
        return config
    return config._replace(served=served._replace(policy=parse_policy(served.settled), settled=None))


def _with_needed_versions(target: ServedModel, former: ServedModel) -> ServedModel:
    """Loads the labelled versions, and those that somebody listed in `models.config` without a label."""
    unlabelled = set(former.policy.specific.versions) - set(former.labels.values())
    return target._replace(policy=specific([*target.labels.values(), *unlabelled]))


def _loaded(served: ServedModel, present: Sequence[int]) -> set[int]:
    """The versions that servers load with a policy."""
    policy = served.policy
    if policy.HasField("specific"):
        return set(policy.specific.versions)
    if policy.HasField("all"):
        return set(present)
    return set(present[-max(policy.latest.num_versions, 1) :])


def _move(rollout: Rollout, former: ModelsConfig, target: ServedModel, present: Sequence[int]) -> None:
    """Moves labels in three steps; `target` is the state after the last one."""
    loaded, needed = _loaded(former.served, present), _loaded(target, present)
    changed = {version for label, version in target.labels.items() if former.served.labels.get(label) != version}
    awaited = changed or (needed if not target.labels else set())
    settled = policy_text(former.served.policy)
    loading = former.served._replace(policy=specific([*loaded, *needed]), settled=settled)
    moved = target._replace(policy=loading.policy, settled=policy_text(target.policy))
    # Labelled versions are loaded on every server already.
    is_new = bool(awaited - set(former.served.labels.values()))
    with _Servers(rollout, former) as servers:
        with servers.restored_on_failure():
            servers.apply(loading)
            servers.wait(awaited, is_new)
            servers.apply(moved)
        servers.settle(target)
    rollout.say(_labels(target))


class _Servers:
    """`models.config` and the servers that follow it."""

    def __init__(self, rollout: Rollout, former: ModelsConfig) -> None:
        self._rollout, self._former = rollout, former
        self._path = config_path(rollout.model_dir)
        self._written = former.text
        for server in rollout.servers:
            if not server.url.startswith("grpc"):
                raise UserError(
                    f"Labels need gRPC. Received: --server {server.url}. Hint: use --server grpc://HOST:8500"
                )
        addresses = every_address(list(rollout.servers))
        self._urls = [server.url for server in addresses]
        self._transports = [rollout.connect(server) for server in addresses]

    def __enter__(self) -> _Servers:
        return self

    def __exit__(self, *exception: object) -> None:
        for transport in self._transports:
            transport.close()

    def apply(self, served: ServedModel) -> None:
        """Writes a step to the file, and sends it to the named servers."""
        config = with_model(self._former.message, served, self._rollout.base_path)
        self._write(to_text(config, served))
        for transport in self._transports:
            transport.reload(config)

    def wait(self, awaited: Collection[int], is_new: bool) -> None:
        """Waits until the versions are AVAILABLE on all servers; `is_new` if some may not have been told of them."""
        clock, rollout = self._rollout.clock, self._rollout
        started = clock.monotonic()
        if is_new and not self._transports:
            seconds = rollout.load_timeout + rollout.poll_interval
            rollout.say(f"waiting {seconds:g} s until all servers have read models.config and loaded the version")
            clock.sleep(seconds)
            return
        for transport, url in zip(self._transports, self._urls, strict=True):
            wait_until_available(transport, awaited, url, rollout.load_timeout, clock)
            rollout.say(f"{url} has version {', '.join(map(str, sorted(awaited)))} AVAILABLE")
        # A server that is not named has to read this step before the next one.
        rest = rollout.poll_interval - (clock.monotonic() - started)
        if is_new and rest > 0:
            rollout.say(f"waiting {rest:.0f} s until other servers have read models.config (--poll-interval)")
            clock.sleep(rest)

    def settle(self, target: ServedModel) -> None:
        """The last step: the label has moved, so a failure is a warning."""
        try:
            self.apply(target)
        except (UserError, OSError) as error:
            self._rollout.say(f"Warning: {error} The label has moved; the former version may still be loaded.")

    @contextlib.contextmanager
    def restored_on_failure(self) -> Iterator[None]:
        """Restores the former file and configuration if the block fails or is interrupted."""
        try:
            yield
        except BaseException as error:
            with _uninterrupted():
                outcome = self._restore()
            if not isinstance(error, UserError | OSError):
                self._rollout.say(f"interrupted; {outcome}")
                raise
            reason = str(error) if isinstance(error, UserError) else f"{self._path}: {error.strerror}."
            raise UserError(f"{reason}\nNo label was moved: {outcome}") from error

    def _restore(self) -> str:
        if not self._is_ours():
            return "models.config was changed by somebody else, and stays as it is."
        config = self._former.message
        if self._former.text is None:
            Path(self._path).unlink(missing_ok=True)
            config = with_model(config, self._former.served, self._rollout.base_path)
        else:
            write_text(self._path, self._former.text)
        failed = []
        for transport, url in zip(self._transports, self._urls, strict=True):
            try:
                transport.reload(config)
            except UserError:
                failed.append(url)
        if failed:
            return f"models.config is as before; {', '.join(failed)} will follow it at its next poll or restart."
        return "models.config and the named servers are as before."

    def _write(self, text: str) -> None:
        if not self._is_ours():
            raise UserError(f"{self._path} was changed by somebody else. Hint: try again.")
        write_text(self._path, text)
        self._written = text

    def _is_ours(self) -> bool:
        try:
            return Path(self._path).read_text(encoding="utf-8") == self._written
        except FileNotFoundError:
            return self._written is None


def _labels(served: ServedModel) -> str:
    labels = ", ".join(f"{label} is {version}" for label, version in sorted(served.labels.items()))
    return labels or "no labels; servers load the newest version"


@contextlib.contextmanager
def _locked(model_dir: str) -> Iterator[None]:
    path = f"{config_path(model_dir)}.lock"
    try:
        if not os.path.isdir(model_dir):
            raise UserError(f"Directory {model_dir} does not exist. Hint: pass the directory of the versions.")
        with exclusive_lock(path, wait=False):
            yield
    except BlockingIOError:
        raise UserError(f"Another promote or rollback of {model_dir} is running. Hint: wait for it.") from None


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ignores Ctrl-C while the former state is restored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
