"""TF Serving's row format over REST, which users may send by hand; the client sends columns."""

from __future__ import annotations

import requests as http

from components.export.signatures import ITEMS, SCORES, SERVING, Predictions, PredictRequests
from pipeline.client.rest_transport import RestTransport
from pipeline.client.transport import Connection


class RowTransport(RestTransport):
    """Sends one JSON object per user instead of columns."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._predict_url = f"{connection.url}/v1/models/{connection.model}:predict"

    def predict(self, requests: PredictRequests, version: int | None = None) -> tuple[Predictions, str]:
        instances = [dict(zip(requests._fields, row, strict=True)) for row in zip(*requests, strict=True)]
        body = {"signature_name": SERVING, "instances": instances}
        rows = http.post(self._predict_url, json=body, timeout=30).json()["predictions"]
        return Predictions([row[ITEMS] for row in rows], [row[SCORES] for row in rows]), ""
