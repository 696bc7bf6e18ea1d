"""The way over REST: JSON over HTTP, with nothing but `requests` to install. In columns, or in rows."""

from __future__ import annotations

from typing import Any

import requests as http

from components.errors import UserError
from components.export.signatures import ITEMS, SCORES, SERVING, Predictions, PredictRequests
from pipeline.client.retries import TransientError, with_retries
from pipeline.client.transport import Connection, VersionStatus

_TRANSIENT = {429, 502, 503, 504}


class RestTransport:
    """See `Transport`. REST answers do not say which version gave them."""

    def __init__(self, connection: Connection, rows: bool = False) -> None:
        """Prepares a session, which keeps its connection from one request to the next.

        Args:
            connection: to whom.
            rows: whether requests are in TF Serving's row format, one object per user, instead of columns.
        """
        self._connection, self._rows = connection, rows
        self._url = f"{connection.url.rstrip('/')}/v1/models/{connection.model}"
        self._session = http.Session()
        if connection.token:
            self._session.headers["Authorization"] = f"Bearer {connection.token}"
        if connection.ca:
            self._session.verify = connection.ca

    def ask(self, requests: PredictRequests, version: int | None = None) -> tuple[Predictions, str]:
        """See `Transport`."""
        url = self._url
        if version is not None:
            url += f"/versions/{version}"
        elif self._connection.label:
            url += f"/labels/{self._connection.label}"
        if not self._rows:
            answer = self._call("POST", f"{url}:predict", {"signature_name": SERVING, "inputs": requests._asdict()})
            return Predictions(answer["outputs"][ITEMS], answer["outputs"][SCORES]), ""
        instances = [dict(zip(requests._fields, row, strict=True)) for row in zip(*requests, strict=True)]
        answer = self._call("POST", f"{url}:predict", {"signature_name": SERVING, "instances": instances})
        return Predictions(*([row[name] for row in answer["predictions"]] for name in (ITEMS, SCORES))), ""

    def statuses(self) -> list[VersionStatus]:
        """See `Transport`."""
        found = self._call("GET", self._url, None)["model_version_status"]
        return [
            VersionStatus(int(part["version"]), part["state"], part.get("status", {}).get("error_message", ""))
            for part in found
        ]

    def close(self) -> None:
        """See `Transport`."""
        self._session.close()

    def _call(self, method: str, url: str, body: dict[str, Any] | None) -> Any:
        return with_retries(
            lambda left: self._attempt(method, url, body, left), self._connection.timeout, self._connection.url
        )

    def _attempt(self, method: str, url: str, body: dict[str, Any] | None, left: float) -> Any:
        try:
            response = self._session.request(method, url, json=body, timeout=left)
            text = response.text
        except http.exceptions.SSLError as error:
            raise UserError(
                f"{url}: the server's certificate is not trusted: {error}. Hint: pass its authority by --ca."
            ) from None
        except (http.exceptions.ConnectionError, http.exceptions.Timeout) as error:
            raise TransientError(f"{type(error).__name__}: {error}") from error
        if response.status_code in _TRANSIENT:
            raise TransientError(f"HTTP {response.status_code}: {text.strip()[:300]}")
        try:
            answer = response.json()
        except ValueError:
            answer = {"error": text.strip()[:300]}
        if not response.ok or "error" in answer:
            raise UserError(f"{url} refused (HTTP {response.status_code}): {answer.get('error', text.strip()[:300])}")
        return answer
