"""`models.config` and the servers that follow it: each step is written, sent and awaited, or everything is restored."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from tensorflow_serving.config import model_server_config_pb2

from components.errors import UserError
from components.files import write_text
from components.pusher.models_config import ModelsConfig, ServedModel, config_path, to_text, with_model
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


class Followers:
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

    def __enter__(self) -> Followers:
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
        for transport, url in zip(self._transports, self._urls, strict=True) if awaited else ():
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
