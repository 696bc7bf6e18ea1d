"""Transport over TF Serving's gRPC API, with the stubs of `tensorflow-serving-api` (which import TensorFlow)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import grpc
import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)
from tensorflow_serving.config import model_server_config_pb2

from components.errors import UserError
from components.export.encoding import encoded_examples
from components.export.signatures import (
    ITEM,
    ITEMS,
    SCORES,
    SERVE_TF_EXAMPLE,
    SIMILAR_ITEMS,
    Predictions,
    PredictRequests,
    SimilarPredictions,
    decoded,
)
from pipeline.client.labels import LabelChoice, RefusedError
from pipeline.client.retries import TransientError, with_retries
from pipeline.client.tls import check_authorities, is_tls_problem, tls_problem
from pipeline.client.transport import Connection, VersionStatus
from pipeline.client.validation import check_predictions, check_similar, unexpected_answer

_Response = TypeVar("_Response")
_TRANSIENT = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.ABORTED}
_DEADLINE = grpc.StatusCode.DEADLINE_EXCEEDED
# Answers may be larger than the default of 4 MB, and a name may stand for several servers (a headless Service).
_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.lb_policy_name", "round_robin"),
)
_TOO_LARGE = "message larger than max"


class GrpcTransport:
    """A `Transport` over gRPC, which can also reload the configuration of a server."""

    def __init__(self, connection: Connection) -> None:
        """Creates a channel; nothing is sent yet.

        Args:
            connection: the server.

        Raises:
            UserError: the file of certificate authorities cannot be used.
        """
        self._connection = connection
        scheme, host = urlsplit(connection.url)[:2]
        if scheme == "grpcs":
            check_authorities(connection.ca)  # gRPC would refuse every server instead of the file
            roots = Path(connection.ca).read_bytes() if connection.ca else None
            named = (("grpc.ssl_target_name_override", connection.tls_name),) if connection.tls_name else ()
            self._channel = grpc.secure_channel(host, grpc.ssl_channel_credentials(roots), (*_OPTIONS, *named))
        else:
            self._channel = grpc.insecure_channel(host, _OPTIONS)
        self._labels = LabelChoice(connection.label)
        self._metadata = (("authorization", f"Bearer {connection.token}"),) if connection.token else ()
        self._prediction = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._model = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def predict(
        self, requests: PredictRequests, version: int | None = None, candidates: Sequence[list[str]] | None = None
    ) -> tuple[Predictions, str]:
        """Sends a predict request."""
        outputs, served = self._outputs(SERVE_TF_EXAMPLE, "examples", encoded_examples(requests, candidates), version)
        users = len(requests.user_id)
        return check_predictions(outputs.get(ITEMS), outputs.get(SCORES), users, self._connection.url), served

    def similar(self, items: Sequence[str]) -> tuple[SimilarPredictions, str]:
        """Sends a request for similar items."""
        outputs, served = self._outputs(SIMILAR_ITEMS, ITEM, [item.encode() for item in items])
        return check_similar(outputs, len(items), self._connection.url), served

    def _outputs(
        self, signature: str, name: str, values: Sequence[bytes], version: int | None = None
    ) -> tuple[dict[str, list[Any]], str]:
        """Outputs by name, texts decoded, and the version that gave them."""
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = self._connection.model, signature
        tensor = request.inputs[name]
        tensor.dtype = types_pb2.DT_STRING
        tensor.tensor_shape.dim.add(size=len(values))
        tensor.string_val.extend(values)

        def send(label: str | None) -> predict_pb2.PredictResponse:
            if label:
                request.model_spec.version_label = label
            else:
                request.model_spec.ClearField("version_label")
            return self._call(self._prediction.Predict, request)

        if version is not None:
            request.model_spec.version.value = version
            response = self._call(self._prediction.Predict, request)
        else:
            response = self._labels.call(send)
        try:
            outputs = {name: decoded(tf.make_ndarray(tensor)) for name, tensor in response.outputs.items()}
        except (TypeError, ValueError, AttributeError):
            raise unexpected_answer(self._connection.url, f"outputs {sorted(response.outputs)}") from None
        return outputs, str(response.model_spec.version.value)

    def statuses(self) -> list[VersionStatus]:
        """Reads the model status."""
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = self._connection.model
        state = get_model_status_pb2.ModelVersionStatus.State
        return [
            VersionStatus(part.version, state.Name(part.state), part.status.error_message)
            for part in self._call(self._model.GetModelStatus, request).model_version_status
        ]

    def reload(self, config: model_server_config_pb2.ModelServerConfig) -> None:
        """Replaces the configuration of a server until it reads its configuration file again.

        Args:
            config: configuration of all models.

        Raises:
            UserError: the server refuses the configuration; includes its message.
        """
        request = model_management_pb2.ReloadConfigRequest(config=config)
        status = self._call(self._model.HandleReloadConfigRequest, request).status
        if status.error_code:
            raise UserError(f"{self._connection.url} refused the configuration: {status.error_message}")

    def notes(self, user: str, history: Sequence[str]) -> list[str]:
        """No notes: the server does not tell what it knows."""
        return []

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()

    def _call(self, method: Callable[..., _Response], request: Any) -> _Response:
        def attempt(remaining: float) -> _Response:
            try:
                return method(request, timeout=remaining, metadata=self._metadata)
            except grpc.RpcError as error:
                reason = f"{error.code().name}: {error.details()}"
                if _TOO_LARGE in reason:
                    raise UserError(
                        f"{self._connection.url}: a message is too large: {error.details()}. Hint: send fewer users "
                        "per request."
                    ) from error
                if is_tls_problem(reason):
                    raise UserError(tls_problem(self._connection.url, reason)) from error
                if error.code() in _TRANSIENT or error.code() == _DEADLINE:
                    raise TransientError(reason) from error
                raise RefusedError(f"{self._connection.url} refused the request: {reason}") from error

        return with_retries(attempt, self._connection.timeout, self._connection.url)
