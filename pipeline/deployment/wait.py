"""Waits until a server has loaded a version."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Protocol

from components.errors import UserError
from pipeline.client.transport import AVAILABLE, END, Transport, VersionStatus

_POLL_SECONDS = 0.5


class Clock(Protocol):
    """The time; the module `time` is one."""

    def monotonic(self) -> float:
        """Seconds since any moment."""

    def sleep(self, seconds: float, /) -> None:
        """Waits."""


def wait_until_available(
    transport: Transport, expected: Collection[int], server: str, timeout: float, clock: Clock = time
) -> None:
    """Returns when all versions are AVAILABLE.

    It checks the `state`: a status request succeeds whatever the state of the version is.

    Args:
        transport: transport to the server.
        expected: versions to wait for.
        server: URL of the server, for messages.
        timeout: seconds a server may take to load the versions.
        clock: the time.

    Raises:
        UserError: a version failed to load (includes the server's message), or did not load in time.
    """
    deadline = clock.monotonic() + timeout
    while True:
        try:
            statuses = {status.version: status for status in transport.statuses()}
        except UserError:
            # A server that has not seen any version yet does not know the model.
            if clock.monotonic() >= deadline:
                raise
            statuses = {}
        missing = [version for version in expected if _state(statuses, version) != AVAILABLE]
        if not missing:
            return
        for version in missing:
            if version in statuses and statuses[version].error and statuses[version].state == END:
                raise UserError(f"{server} could not load version {version}: {statuses[version].error}")
        if clock.monotonic() >= deadline:
            raise UserError(_timeout_message(statuses, missing[0], server, timeout))
        clock.sleep(_POLL_SECONDS)


def _state(statuses: dict[int, VersionStatus], version: int) -> str:
    return statuses[version].state if version in statuses else "unknown"


def _timeout_message(statuses: dict[int, VersionStatus], version: int, server: str, timeout: float) -> str:
    if version in statuses:
        error = f": {statuses[version].error}" if statuses[version].error else ""
        return f"{server}: version {version} is still in state {statuses[version].state} after {timeout:g} s{error}."
    available = ", ".join(f"{other} ({statuses[other].state})" for other in sorted(statuses)) or "none"
    return (
        f"{server} did not find version {version} within {timeout:g} s; available: {available}. Hint: check its "
        "base path, --file_system_poll_wait_seconds, and models.config."
    )
