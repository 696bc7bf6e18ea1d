"""The server's warm-up file: real requests of the golden rows."""

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from components.export.golden import read_golden
from components.export.warmup import BATCH_SIZES, WARMUP_FILE
from tests.support import small_servable


def test_warmup_file_has_a_valid_request_per_batch_size(tmp_path):
    folder = small_servable.save(tmp_path / "model")
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record)
        for record in tf.data.TFRecordDataset(f"{folder}/{WARMUP_FILE}").as_numpy_iterator()
    ]
    ask = tf.saved_model.load(folder).signatures["serving_default"]
    golden = read_golden(folder)
    for size, log in zip(BATCH_SIZES, logs, strict=True):
        request = log.predict_log.request
        assert request.model_spec.signature_name == "serving_default"
        inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
        items = ask(**{name: tf.constant(array) for name, array in inputs.items()})["item_ids"].numpy()
        assert len(items) == size
        assert [item.decode() for item in items[0]] == golden.predictions.item_ids[0]
