"""Transport over TF Serving's REST API; needs nothing but `requests`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import requests as http

from components.errors import UserError
from components.export.signatures import ITEMS, SCORES, SERVING, Predictions, PredictRequests
from pipeline.client.retries import TransientError, with_retries
from pipeline.client.transport import Connection, VersionStatus

_TRANSIENT = {429, 502, 503, 504}


class RestTransport:
    """A `Transport` over REST, whose responses do not contain the version of the model."""

    def __init__(self, connection: Connection) -> None:
        """Creates a session, which keeps its connection between requests.

        Args:
            connection: the server.
        """
        self._connection = connection
        self._url = f"{connection.url.rstrip('/')}/v1/models/{connection.model}"
        self._session = http.Session()
        if connection.token:
            self._session.headers["Authorization"] = f"Bearer {connection.token}"
        if connection.ca:
            self._session.verify = connection.ca

    def predict(self, requests: PredictRequests, version: int | None = None) -> tuple[Predictions, str]:
        """Sends a predict request in columnar format."""
        url = self._url
        if version is not None:
            url += f"/versions/{version}"
        elif self._connection.label:
            url += f"/labels/{self._connection.label}"
        response = self._call("POST", f"{url}:predict", {"signature_name": SERVING, "inputs": requests._asdict()})
        return Predictions(response["outputs"][ITEMS], response["outputs"][SCORES]), ""

    def statuses(self) -> list[VersionStatus]:
        """Reads the model status."""
        return [
            VersionStatus(int(part["version"]), part["state"], part.get("status", {}).get("error_message", ""))
            for part in self._call("GET", self._url, None)["model_version_status"]
        ]

    def notes(self, user: str, history: Sequence[str]) -> list[str]:
        """No notes: the server does not tell what it knows."""
        return []

    def close(self) -> None:
        """Closes the session."""
        self._session.close()

    def _call(self, method: str, url: str, body: dict[str, Any] | None) -> Any:
        return with_retries(
            lambda remaining: self._attempt(method, url, body, remaining),
            self._connection.timeout,
            self._connection.url,
        )

    def _attempt(self, method: str, url: str, body: dict[str, Any] | None, remaining: float) -> Any:
        try:
            response = self._session.request(method, url, json=body, timeout=remaining)
            text = response.text
        except http.exceptions.SSLError as error:
            raise UserError(
                f"{url}: the server's certificate is not trusted: {error}. "
                "Hint: pass the certificate of its authority with --ca."
            ) from None
        except (http.exceptions.ConnectionError, http.exceptions.Timeout) as error:
            raise TransientError(f"{type(error).__name__}: {error}") from error
        if response.status_code in _TRANSIENT:
            raise TransientError(f"HTTP {response.status_code}: {text.strip()[:300]}")
        try:
            content = response.json()
        except ValueError:
            content = {"error": text.strip()[:300]}
        if not response.ok or "error" in content:
            reason = content.get("error", text.strip()[:300])
            raise UserError(f"{url} refused the request (HTTP {response.status_code}): {reason}")
        return content
