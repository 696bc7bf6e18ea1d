"""An exported model by itself: the graph of the file in a plain session, as the server runs it."""

import pytest
import tensorflow as tf

from components.export.signatures import PredictRequests
from components.pusher.verification.graph_checks import serving_graph
from components.pusher.verification.verify_model import GraphSession
from tests.support import small_servable


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small_servable.save(tmp_path_factory.mktemp("model") / "model", favourite="i5")


def test_graph_in_a_session_predicts_with_the_trained_weights(folder):
    # A weight that the restore does not reach would be an error here, or no favourite.
    requests = PredictRequests(["u0", "nobody"], [["i1", "i" * 100], ["", "i2"]], [["", "i0"], ["", ""]])
    with GraphSession(folder, serving_graph(folder)) as session:
        item_ids, scores = session.predict(requests)
    assert item_ids == [["i5", "i2", "i3", "i4", "i6"], ["i5", "i0", "i1", "i3", "i4"]]
    assert scores == [[1.0, 0.0, 0.0, 0.0, 0.0]] * 2


def test_export_contains_every_weight_exactly_once(folder):
    stored = [name for name, _ in tf.train.list_variables(f"{folder}/variables/variables") if "VARIABLE_VALUE" in name]
    # Two embeddings, output embedding and bias, dense (2), horizontal (low filters, the tall one, bias), vertical (2),
    # and the lengths of both item embeddings.
    assert len(stored) == 13
