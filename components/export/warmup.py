"""Warm-up requests: TF Serving replays them while it loads a version, so that no user waits for lazy initialization.

The file is `assets.extra/tf_serving_warmup_requests`, a TFRecord of PredictionLogs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from components.export.model_info import EXTRA
from components.export.signatures import MODEL_NAME, SERVING, PredictRequests

# File name expected by TF Serving, which replays at most 1,000 records.
WARMUP_FILE = os.path.join(EXTRA, "tf_serving_warmup_requests")
BATCH_SIZES = (1, 8, 64)


def write_warmup(folder: str, requests: PredictRequests, batch_sizes: Sequence[int] = BATCH_SIZES) -> None:
    """Writes the warm-up file of a SavedModel.

    Args:
        folder: directory of the SavedModel.
        requests: rows, repeated to fill a batch.
        batch_sizes: batch sizes, one record each.
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
