"""The way over gRPC, by the stubs of `tensorflow-serving-api`. They import TensorFlow, which takes seconds once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)
from tensorflow_serving.config import model_server_config_pb2

from components.errors import UserError
from components.export.signatures import ITEMS, SCORES, SERVING, Predictions, PredictRequests
from pipeline.client.retries import TransientError, with_retries
from pipeline.client.transport import Connection, VersionStatus

_Answer = TypeVar("_Answer")
_TRANSIENT = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.ABORTED}
_LATE = grpc.StatusCode.DEADLINE_EXCEEDED


class GrpcTransport:
    """See `Transport`; besides, it can tell a server what to load."""

    def __init__(self, connection: Connection) -> None:
        """Prepares a channel.

        Args:
            connection: to whom.
        """
        self._connection = connection
        scheme, host = urlsplit(connection.url)[:2]
        if scheme == "grpcs":
            roots = _read(connection.ca) if connection.ca else None
            self._channel = grpc.secure_channel(host, grpc.ssl_channel_credentials(roots))
        else:
            self._channel = grpc.insecure_channel(host)
        self._metadata = (("authorization", f"Bearer {connection.token}"),) if connection.token else ()
        self._prediction = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._model = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def ask(self, requests: PredictRequests, version: int | None = None) -> tuple[Predictions, str]:
        """See `Transport`."""
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = self._connection.model, SERVING
        if version is not None:
            request.model_spec.version.value = version
        elif self._connection.label:
            request.model_spec.version_label = self._connection.label
        for name, rows in requests._asdict().items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(np.array(rows, dtype=object), tf.string))
        response = self._call(self._prediction.Predict, request)
        items = tf.make_ndarray(response.outputs[ITEMS])
        scores = tf.make_ndarray(response.outputs[SCORES])
        answers = Predictions([[item.decode() for item in row] for row in items], scores.tolist())
        return answers, str(response.model_spec.version.value)

    def statuses(self) -> list[VersionStatus]:
        """See `Transport`."""
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = self._connection.model
        state = get_model_status_pb2.ModelVersionStatus.State
        return [
            VersionStatus(part.version, state.Name(part.state), part.status.error_message)
            for part in self._call(self._model.GetModelStatus, request).model_version_status
        ]

    def reload(self, config: model_server_config_pb2.ModelServerConfig) -> None:
        """Makes the server follow a configuration from now on, whatever its file says until it is read again.

        Args:
            config: of all models.

        Raises:
            UserError: the server refuses it; in the server's own words.
        """
        request = model_management_pb2.ReloadConfigRequest(config=config)
        status = self._call(self._model.HandleReloadConfigRequest, request).status
        if status.error_code:
            raise UserError(f"{self._connection.url} refused the configuration: {status.error_message}")

    def close(self) -> None:
        """See `Transport`."""
        self._channel.close()

    def _call(self, method: Callable[..., _Answer], request: Any) -> _Answer:
        def attempt(left: float) -> _Answer:
            try:
                return method(request, timeout=left, metadata=self._metadata)
            except grpc.RpcError as error:
                said = f"{error.code().name}: {error.details()}"
                if error.code() in _TRANSIENT or error.code() == _LATE:
                    raise TransientError(said) from error
                raise UserError(f"{self._connection.url} refused: {said}") from error

        return with_retries(attempt, self._connection.timeout, self._connection.url)


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}.") from None
