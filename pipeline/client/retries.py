"""Repeats what failed for a passing reason, with growing pauses, until a deadline."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from components.errors import UserError

_Answer = TypeVar("_Answer")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


class TransientError(Exception):
    """An attempt failed for a reason that may pass: no connection, an overloaded server."""


def with_retries(attempt: Callable[[float], _Answer], timeout: float, whom: str) -> _Answer:
    """Calls until it succeeds.

    Args:
        attempt: is given the seconds that are left.
        timeout: seconds for all attempts and pauses.
        whom: the server, for the message.

    Returns:
        What the attempt returned.

    Raises:
        UserError: no attempt succeeded in time.
    """
    deadline = time.monotonic() + timeout
    pause, attempts = _FIRST_PAUSE, 0
    while True:
        attempts += 1
        try:
            return attempt(max(deadline - time.monotonic(), 1e-3))
        except TransientError as error:
            # Clients that failed together should not come back together.
            wait = pause * random.uniform(0.5, 1)
            if time.monotonic() + wait >= deadline:
                raise UserError(
                    f"{whom} did not answer within {timeout:g} s ({attempts} attempt(s)): {error}. Hint: see that "
                    "the server is up and reachable, or allow more time by --timeout."
                ) from error
            time.sleep(wait)
            pause = min(2 * pause, _LONGEST_PAUSE)
