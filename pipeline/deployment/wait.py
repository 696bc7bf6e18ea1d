"""Waits until a server has a version."""

from __future__ import annotations

import time
from collections.abc import Collection

from components.errors import UserError
from pipeline.client.transport import AVAILABLE, END, Transport, VersionStatus

_POLL_SECONDS = 0.5


def wait_until_available(transport: Transport, wanted: Collection[int], server: str, timeout: float) -> None:
    """Returns when all versions answer.

    The `state` is read: a server answers the question for a version's status with success whatever the state is.

    Args:
        transport: to the server.
        wanted: versions.
        server: its URL, for messages.
        timeout: seconds for loading.

    Raises:
        UserError: a version did not load (in the server's own words), or not in time.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            found = {status.version: status for status in transport.statuses()}
        except UserError:
            # A server that has never seen a version of the model says that it does not know the model.
            if time.monotonic() >= deadline:
                raise
            found = {}
        missing = [version for version in wanted if _state(found, version) != AVAILABLE]
        if not missing:
            return
        for version in missing:
            if version in found and found[version].error and found[version].state == END:
                raise UserError(f"{server} could not load version {version}: {found[version].error}")
        if time.monotonic() >= deadline:
            raise UserError(_late(found, missing[0], server, timeout))
        time.sleep(_POLL_SECONDS)


def _state(found: dict[int, VersionStatus], version: int) -> str:
    return found[version].state if version in found else "unknown"


def _late(found: dict[int, VersionStatus], version: int, server: str, timeout: float) -> str:
    if version in found:
        said = f"; it says: {found[version].error}" if found[version].error else ""
        return f"{server} still has version {version} in state {found[version].state} after {timeout:g} s{said}."
    others = ", ".join(f"{other} ({found[other].state})" for other in sorted(found)) or "none"
    return (
        f"{server} does not know version {version} after {timeout:g} s; it has: {others}. Hint: see that it reads "
        "this folder, how often it looks (--file_system_poll_wait_seconds), and whether models.config names versions."
    )
