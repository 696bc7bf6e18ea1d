"""PredictRequests that the server answers for itself before a new version takes over, so that no user waits for the first run.

TF Serving replays the TFRecord file `assets.extra/tf_serving_warmup_requests` while it loads a version.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from components.export.model_info import EXTRA
from components.export.signatures import MODEL_NAME, SERVING, PredictRequests

# The server takes the file by this name, and no more than 1000 records.
WARMUP_FILE = os.path.join(EXTRA, "tf_serving_warmup_requests")
BATCH_SIZES = (1, 8, 64)


def write_warmup(folder: str, requests: PredictRequests, batch_sizes: Sequence[int] = BATCH_SIZES) -> None:
    """Puts the file into a SavedModel.

    Args:
        folder: of the SavedModel.
        requests: rows to repeat until a batch is full.
        batch_sizes: one record each.
    """
    os.makedirs(os.path.join(folder, EXTRA), exist_ok=True)
    with tf.io.TFRecordWriter(os.path.join(folder, WARMUP_FILE)) as writer:
        for size in batch_sizes:
            request = predict_pb2.PredictRequest()
            request.model_spec.name = MODEL_NAME
            request.model_spec.signature_name = SERVING
            for name, rows in requests._asdict().items():
                batch = [rows[row % len(rows)] for row in range(size)]
                request.inputs[name].CopyFrom(tf.make_tensor_proto(batch, tf.string))
            log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
            writer.write(log.SerializeToString())
