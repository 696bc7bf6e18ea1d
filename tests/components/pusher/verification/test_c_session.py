"""An exported model by itself: the graph of the file in a plain session, as the server runs it."""

import numpy as np
import pytest
import tensorflow as tf

from components.pusher.verification.c_session import CSession, available
from components.pusher.verification.graph_checks import serving_graph
from tests.support import small_servable

pytestmark = pytest.mark.skipif(not available(), reason="this TensorFlow does not bring its C API")


def texts(rows):
    return np.array(rows, dtype=object)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small_servable.save(tmp_path_factory.mktemp("model") / "model", favourite="i5")


def test_graph_in_a_c_session_predicts_with_the_trained_weights(folder):
    # A weight that the restore does not reach would be an error here, or no favourite.
    outputs = serving_graph(folder).signature_def["serving_default"].outputs
    ids, scores = CSession(folder).run(
        {
            "serving_default_user_id:0": texts([b"u0", b"nobody"]),
            "serving_default_recent_item_ids:0": texts([[b"i1", b"i" * 100], [b"", b"i2"]]),
            "serving_default_exclude_item_ids:0": np.zeros((2, 0), object),
        },
        [outputs["item_ids"].name, outputs["scores"].name],
    )
    assert ids.tolist() == [[b"i5", b"i0", b"i2", b"i3", b"i4"], [b"i5", b"i0", b"i1", b"i3", b"i4"]]
    assert scores.tolist() == [[1.0, 0.0, 0.0, 0.0, 0.0]] * 2


def test_export_contains_every_weight_exactly_once(folder):
    stored = [name for name, _ in tf.train.list_variables(f"{folder}/variables/variables") if "VARIABLE_VALUE" in name]
    # Two embeddings, output embedding and bias, dense (2), horizontal (low filters, the tall one, bias), vertical (2).
    assert len(stored) == 11


def test_c_session_without_a_model_raises_tensorflows_error(tmp_path):
    with pytest.raises(RuntimeError, match="Could not find SavedModel"):
        CSession(str(tmp_path))
