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
from components.pusher.verification.c_session import CSession, available
from components.pusher.verification.graph_checks import graph_mismatch, serving_graph


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
        if available():
            predictions = _predict_in_session(folder, graph.signature_def[SERVING], golden.requests)
        else:
            predictions = _predict_with_functions(folder, golden.requests)
    except (RuntimeError, tf.errors.OpError, OSError, ValueError) as error:
        return f"the golden request failed: {str(error).splitlines()[0]}"
    return golden_mismatch(golden, predictions)


def _predict_in_session(folder: str, signature: meta_graph_pb2.SignatureDef, requests: PredictRequests) -> Predictions:
    """Runs the graph in a session, as TF Serving does."""
    inputs = {signature.inputs[name].name: _bytes(rows) for name, rows in requests._asdict().items()}
    item_ids, scores = CSession(folder).run(inputs, [signature.outputs[name].name for name in (ITEMS, SCORES)])
    return Predictions.from_arrays(item_ids, scores)


def _predict_with_functions(folder: str, requests: PredictRequests) -> Predictions:
    """Calls the functions of the SavedModel, for TensorFlow builds without the C API."""
    inputs = {name: tf.constant(_bytes(rows).tolist(), tf.string) for name, rows in requests._asdict().items()}
    outputs = tf.saved_model.load(folder).signatures[SERVING](**inputs)
    return Predictions.from_arrays(outputs[ITEMS].numpy(), outputs[SCORES].numpy())


def _bytes(rows: list) -> np.ndarray:
    return np.vectorize(str.encode, otypes=[object])(np.array(rows, dtype=object))


if __name__ == "__main__":
    problem = verify(sys.argv[1])
    if problem:
        sys.exit(problem)
