"""Retries transient failures with exponential backoff until a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_before_delay, wait_random_exponential

from components.errors import UserError

_Response = TypeVar("_Response")
# Seconds. The jitter keeps clients that failed together from retrying together.
_BACKOFF = wait_random_exponential(multiplier=0.1, max=5)


class TransientError(Exception):
    """An attempt failed for a reason that may pass: no connection, an overloaded server."""


def with_retries(attempt: Callable[[float], _Response], timeout: float, server: str) -> _Response:
    """Calls `attempt` until it succeeds.

    Args:
        attempt: takes the remaining seconds.
        timeout: seconds for all attempts and pauses.
        server: URL of the server, for the error message.

    Returns:
        The result of the successful attempt.

    Raises:
        UserError: no attempt succeeded in time.
    """
    deadline = time.monotonic() + timeout
    retrying = Retrying(retry=retry_if_exception_type(TransientError), wait=_BACKOFF, stop=stop_before_delay(timeout))
    try:
        return retrying(lambda: attempt(max(deadline - time.monotonic(), 1e-3)))
    except RetryError as error:
        last = error.last_attempt
        attempts = "1 attempt" if last.attempt_number == 1 else f"{last.attempt_number} attempts"
        raise UserError(
            f"No response from {server} within {timeout:g} s ({attempts}): {last.exception()}. "
            "Hint: check that the server is running, or raise --timeout."
        ) from last.exception()
