"""Progress of batch recommendations, for callbacks in this process."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

_callbacks: list[Callable[[int], None]] = []


def report(users: int) -> None:
    """Calls all callbacks.

    Args:
        users: number of users that were just finished.
    """
    for callback in tuple(_callbacks):
        callback(users)


@contextlib.contextmanager
def progress_callback(callback: Callable[[int], None]) -> Iterator[None]:
    """Registers a callback while the block runs.

    Args:
        callback: called with the number of users that were just finished.
    """
    _callbacks.append(callback)
    try:
        yield
    finally:
        _callbacks.remove(callback)
