"""Which version label a request names.

A server answers requests without a label with the highest version that it has loaded, which may be a canary. So a
client asks for the label `stable` unless it was told otherwise, and without a label only where a server has none.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from components.errors import UserError
from components.export.signatures import STABLE

_Response = TypeVar("_Response")
# Labels may be assigned while a client runs.
_REMEMBERED_SECONDS = 60.0


class RefusedError(UserError):
    """The server has answered that it cannot serve the request as it is."""


class LabelChoice:
    """The label of a connection; remembers for a minute that a server does not have `stable`."""

    def __init__(self, label: str | None) -> None:
        """Sends nothing.

        Args:
            label: label that was asked for; None: `stable` if the server has it.
        """
        self._label = label
        self._refused_at = float("-inf")

    def call(self, send: Callable[[str | None], _Response]) -> _Response:
        """Sends a request.

        Args:
            send: takes the label, or None.

        Returns:
            The response.

        Raises:
            UserError: the request is refused.
        """
        if self._label is not None:
            return send(self._label)
        if time.monotonic() - self._refused_at < _REMEMBERED_SECONDS:
            return send(None)
        try:
            return send(STABLE)
        except RefusedError:
            response = send(None)
            self._refused_at = time.monotonic()
            return response
