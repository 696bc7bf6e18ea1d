"""What every way to a model has in common."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from components.export.signatures import MODEL_NAME, Predictions, PredictRequests

AVAILABLE, END = "AVAILABLE", "END"


class Connection(NamedTuple):
    """Where a server is, and how to talk to it.

    Attributes:
        url: `http://host:8501`, `https://...`, `grpc://host:8500` or `grpcs://...` (with TLS).
        timeout: seconds for one request, all of its repetitions included.
        token: sent as `Authorization: Bearer`; better with TLS only.
        ca: PEM file of the authorities to trust; None: those of the system.
        label: such as `stable`; None: the newest version that the server has loaded.
        model: name of the model.
    """

    url: str
    timeout: float = 10.0
    token: str | None = None
    ca: str | None = None
    label: str | None = None
    model: str = MODEL_NAME


class VersionStatus(NamedTuple):
    """What a server says of a version: AVAILABLE or another state, and its own words where something went wrong."""

    version: int
    state: str
    error: str


class Transport(Protocol):
    """A way to a model."""

    def ask(self, requests: PredictRequests, version: int | None = None) -> tuple[Predictions, str]:
        """Asks for a batch of users.

        Args:
            requests: lists of one width each.
            version: of the model; None: what the connection says.

        Returns:
            The answers, and the version that gave them ("" where the server does not say).

        Raises:
            UserError: the model is not there, refuses the request, or does not answer in time.
        """

    def statuses(self) -> list[VersionStatus]:
        """All versions that the server knows of.

        Raises:
            UserError: the server does not know the model, or does not answer in time.
        """

    def close(self) -> None:
        """Lets go of connections."""
