"""Interface of all transports to a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from components.export.signatures import MODEL_NAME, Predictions, PredictRequests, SimilarPredictions

AVAILABLE, END = "AVAILABLE", "END"


class Connection(NamedTuple):
    """A server and how to connect to it.

    Attributes:
        url: `http://host:8501`, `https://...`, `grpc://host:8500` or `grpcs://...` (with TLS).
        timeout: deadline of one request in seconds, including all retries.
        token: bearer token; use it with TLS only.
        ca: PEM file of the trusted certificate authorities; None: those of the system.
        label: version label such as `canary`; None: `stable`, or the newest version of a server without that label.
        model: name of the model.
        tls_name: name in the server's certificate if `url` has an address; None: the host in `url`.
    """

    url: str
    timeout: float = 10.0
    token: str | None = None
    ca: str | None = None
    label: str | None = None
    model: str = MODEL_NAME
    tls_name: str | None = None


class VersionStatus(NamedTuple):
    """Status of a version on a server: AVAILABLE or another state, and the server's error message if there is one."""

    version: int
    state: str
    error: str


class Transport(Protocol):
    """A way to send requests to a model."""

    def predict(
        self, requests: PredictRequests, version: int | None = None, candidates: Sequence[list[str]] | None = None
    ) -> tuple[Predictions, str]:
        """Predicts for a batch of users.

        Args:
            requests: the users; lists of equal width.
            version: version of the model; None: by the label of the connection, else the newest.
            candidates: for each user, the only items that may be recommended, all items if empty; None: all items.

        Returns:
            The predictions, and the version that made them ("" if the server does not return it).

        Raises:
            UserError: the model is missing, refuses the request, or does not respond in time.
        """

    def similar(self, items: Sequence[str]) -> tuple[SimilarPredictions, str]:
        """Finds similar and following items.

        Args:
            items: item ids.

        Returns:
            The answer for each, and the version that gave it ("" if the server does not return it).

        Raises:
            UserError: the model is missing, refuses the request, or does not respond in time.
        """

    def statuses(self) -> list[VersionStatus]:
        """The status of every version of the model.

        Raises:
            UserError: the server does not know the model or does not respond in time.
        """

    def notes(self, user: str, history: Sequence[str]) -> list[str]:
        """Notes on a prediction, such as unknown items in the history; servers give none.

        Args:
            user: user id.
            history: recent items.
        """

    def close(self) -> None:
        """Closes all connections."""
