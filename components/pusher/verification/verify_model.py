"""Checks a SavedModel in a separate process that imports TensorFlow only.

`python -m components.pusher.verification.verify_model DIR` exits with 0, or with 1 and one line that names the problem.
"""

from __future__ import annotations

import sys

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from components.export.golden import golden_mismatch, read_golden
from components.export.signatures import ITEMS, SCORES, SERVING, Predictions, PredictRequests
from components.pusher.verification.graph_checks import TAG, graph_mismatch, serving_graph


def verify(folder: str) -> str | None:
    """Checks the graph, then replays the golden request as a server would.

    Args:
        folder: directory of the SavedModel.

    Returns:
        The first problem, or None.
    """
    try:
        graph = serving_graph(folder)
    except ValueError as error:
        return str(error)
    if problem := graph_mismatch(graph):
        return problem
    try:
        golden = read_golden(folder)
    except (OSError, ValueError) as error:
        return f"the golden request cannot be read: {error}"
    try:
        predictions = predict_in_session(folder, graph.signature_def[SERVING], golden.requests)
    except (tf.errors.OpError, OSError, ValueError, TypeError, RuntimeError) as error:
        # Sessions put a heading before the reason.
        reason = str(error).removeprefix("Graph execution error:").strip() or type(error).__name__
        return f"the golden request failed: {reason.splitlines()[0]}"
    return golden_mismatch(golden, predictions)


def predict_in_session(folder: str, signature: meta_graph_pb2.SignatureDef, requests: PredictRequests) -> Predictions:
    """Runs the graph of a SavedModel in a session, as TF Serving does.

    `tf.saved_model.load` would rebuild its Python functions instead and run them eagerly.

    Args:
        folder: directory of the SavedModel.
        signature: the signature to call.
        requests: inputs, one row per user.

    Raises:
        tf.errors.OpError, OSError: the model cannot be loaded, or the request fails.
        TypeError, ValueError: the signature names tensors that the graph lacks.
    """
    inputs = {signature.inputs[name].name: _bytes(rows) for name, rows in requests._asdict().items()}
    outputs = [signature.outputs[name].name for name in (ITEMS, SCORES)]
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        tf.compat.v1.saved_model.load(session, [TAG], folder)
        return Predictions.from_arrays(*session.run(outputs, inputs))


def _bytes(rows: list) -> np.ndarray:
    return np.vectorize(str.encode, otypes=[object])(np.array(rows, dtype=object))


if __name__ == "__main__":
    problem = verify(sys.argv[1])
    if problem:
        sys.exit(problem)
