"""Warm-up requests: TF Serving replays them while it loads a version, so that no user waits for lazy initialization.

The file is `assets.extra/tf_serving_warmup_requests`, a TFRecord of PredictionLogs. A version whose file is damaged is
never served.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from google.protobuf import message
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from components.export.encoding import encoded_examples
from components.export.model_info import EXTRA
from components.export.signatures import MODEL_NAME, SERVE_TF_EXAMPLE, SERVING, PredictRequests

# File name expected by TF Serving, which replays at most 1,000 records.
WARMUP_FILE = os.path.join(EXTRA, "tf_serving_warmup_requests")
BATCH_SIZES = (1, 8, 64)


class WarmupRequest(NamedTuple):
    """One recorded request: its signature, and the input arrays by name."""

    signature: str
    inputs: Mapping[str, np.ndarray]


def write_warmup(folder: str, requests: PredictRequests, batch_sizes: Sequence[int] = BATCH_SIZES) -> None:
    """Writes the warm-up file of a SavedModel, for `serving_default` and `serve_tf_example`.

    Args:
        folder: directory of the SavedModel.
        requests: rows, repeated to fill a batch.
        batch_sizes: batch sizes, one record each and signature.
    """
    os.makedirs(os.path.join(folder, EXTRA), exist_ok=True)
    with tf.io.TFRecordWriter(os.path.join(folder, WARMUP_FILE)) as writer:
        for size in batch_sizes:
            rows = [row % len(requests.user_id) for row in range(size)]
            batch = PredictRequests(
                [requests.user_id[row] for row in rows],
                [requests.recent_item_ids[row] for row in rows],
                [requests.exclude_item_ids[row] for row in rows],
            )
            for signature, inputs in (
                (SERVING, batch._asdict()),
                (SERVE_TF_EXAMPLE, {"examples": encoded_examples(batch)}),
            ):
                request = predict_pb2.PredictRequest()
                request.model_spec.name, request.model_spec.signature_name = MODEL_NAME, signature
                for name, values in inputs.items():
                    request.inputs[name].CopyFrom(tf.make_tensor_proto(values, tf.string))
                log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
                writer.write(log.SerializeToString())


def read_warmup(folder: str) -> Iterator[WarmupRequest]:
    """Reads the warm-up file of a SavedModel.

    Args:
        folder: directory of the SavedModel.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is damaged, or contains something else than predict requests; the message is one clause.
    """
    file = os.path.join(folder, WARMUP_FILE)
    if not os.path.exists(file):
        raise FileNotFoundError(file)
    is_empty = True
    try:
        for record in tf.data.TFRecordDataset(file).as_numpy_iterator():
            log = prediction_log_pb2.PredictionLog.FromString(record)
            if not log.HasField("predict_log"):
                raise ValueError(f"{WARMUP_FILE} contains a record that is not a predict request")
            is_empty = False
            request = log.predict_log.request
            inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
            yield WarmupRequest(request.model_spec.signature_name or SERVING, inputs)
    except (tf.errors.DataLossError, message.DecodeError):
        is_empty = True
    if is_empty:
        raise ValueError(f"{WARMUP_FILE} is truncated or damaged")
