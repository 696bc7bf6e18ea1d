"""TF Serving's row and column formats over REST, which users may send by hand; the client sends Examples."""

from __future__ import annotations

import json

import urllib3

from components.export.signatures import ITEMS, SCORES, SERVING, Predictions, PredictRequests
from pipeline.client.rest_transport import RestTransport
from pipeline.client.transport import Connection


class _PlainTransport(RestTransport):
    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._predict_url = f"{connection.url}/v1/models/{connection.model}:predict"
        self._plain = urllib3.PoolManager()

    def post(self, body: object) -> dict:
        response = self._plain.request(
            "POST", self._predict_url, body=json.dumps({"signature_name": SERVING, **body}).encode(), timeout=30
        )
        return json.loads(response.data)

    def close(self) -> None:
        self._plain.clear()
        super().close()


class RowTransport(_PlainTransport):
    """Sends one JSON object per user."""

    def predict(
        self, requests: PredictRequests, version: int | None = None, candidates: object = None
    ) -> tuple[Predictions, str]:
        instances = [dict(zip(requests._fields, row, strict=True)) for row in zip(*requests, strict=True)]
        rows = self.post({"instances": instances})["predictions"]
        return Predictions([row[ITEMS] for row in rows], [row[SCORES] for row in rows]), ""


class ColumnTransport(_PlainTransport):
    """Sends one list per input."""

    def predict(
        self, requests: PredictRequests, version: int | None = None, candidates: object = None
    ) -> tuple[Predictions, str]:
        outputs = self.post({"inputs": requests._asdict()})["outputs"]
        return Predictions(outputs[ITEMS], outputs[SCORES]), ""
