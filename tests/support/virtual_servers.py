"""Two stand-in servers on a virtual clock, one of which no command names, and a stand-in transport to the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from components.errors import UserError
from pipeline.client.transport import Connection, VersionStatus
from tests.support.tf_serving import Flags, ModelServer, ServingError

POLL_SECONDS = 30.0
NAMED, UNNAMED = 0, 1
_STEP_SECONDS = 2.5


class Killed(BaseException):
    """The process of the command has ended; nothing that it does later has an effect."""


class VirtualServers:
    """Both servers and the clock; `hooks` are called before the effects of a command, by their number."""

    def __init__(self, folder: Path, load_seconds: Callable[[int, int], float], broken: set[int]) -> None:
        self.folder, self._load_seconds, self._broken = folder, load_seconds, broken
        self.now, self.effects, self.is_killed = 0.0, 0, False
        self.hooks: dict[int, Callable[[], None]] = {}
        self.servers = [self._started(server) for server in (NAMED, UNNAMED)]

    def restart(self, server: int) -> None:
        self.servers[server] = self._started(server)

    def begin(self) -> None:
        """A new command."""
        self.effects, self.is_killed = 0, False

    def effect(self) -> None:
        """Is called before each file write, request and pause of a command."""
        if self.is_killed:
            raise Killed
        self.effects += 1
        if hook := self.hooks.pop(self.effects, None):
            hook()
        if self.is_killed:
            raise Killed

    def kill(self) -> None:
        self.is_killed = True

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Pauses a command."""
        self.effect()
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now = min(self.now + _STEP_SECONDS, end)
            for server in self.servers:
                server.tick()

    def connect(self, connection: Connection) -> VirtualTransport:
        return VirtualTransport(self)

    def _started(self, server: int) -> ModelServer:
        flags = Flags(
            str(self.folder / "models.config"),
            model_config_file_poll_wait_seconds=POLL_SECONDS,
            file_system_poll_wait_seconds=10,
        )
        return ModelServer(
            flags,
            self,
            load=lambda folder: "DATA_LOSS: truncated record" if int(folder.name) in self._broken else "",
            load_seconds=lambda version: self._load_seconds(server, version),
        )


class VirtualTransport:
    """Reaches the named server only."""

    def __init__(self, virtual: VirtualServers) -> None:
        self._virtual = virtual

    def statuses(self) -> list[VersionStatus]:
        self._virtual.effect()
        try:
            found = self._virtual.servers[NAMED].statuses("caser")
        except ServingError as error:
            raise UserError(error.message) from None
        return [VersionStatus(version, loaded.state, loaded.error) for version, loaded in found.items()]

    def reload(self, config) -> None:
        self._virtual.effect()
        try:
            self._virtual.servers[NAMED].reload(config)
        except ServingError as error:
            raise UserError(f"refused the configuration: {error.message}") from None

    def close(self) -> None:
        pass
