"""Checks a SavedModel in a process of its own that imports TensorFlow and nothing else.

`python -m components.pusher.verification.verify_model DIR` exits with 0, or with 1 and one line that names the problem.
"""

from __future__ import annotations

import sys

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from components.export.golden import fault, read_golden
from components.export.signatures import ITEMS, SCORES, SERVING, Predictions, PredictRequests
from components.pusher.verification.c_session import CSession, available
from components.pusher.verification.graph_checks import graph_fault, serving_graph


def verify(folder: str) -> str | None:
    """Checks the graph, then asks the golden request as a server would.

    Args:
        folder: of the SavedModel.

    Returns:
        What is wrong, or None.
    """
    try:
        graph = serving_graph(folder)
    except ValueError as error:
        return str(error)
    if wrong := graph_fault(graph):
        return wrong
    try:
        golden = read_golden(folder)
    except (OSError, ValueError) as error:
        return f"the golden request cannot be read: {error}"
    try:
        if available():
            answers = _ask_session(folder, graph.signature_def[SERVING], golden.requests)
        else:
            answers = _ask_functions(folder, golden.requests)
    except (RuntimeError, tf.errors.OpError, OSError, ValueError) as error:
        return f"the golden request failed: {str(error).splitlines()[0]}"
    return fault(golden, answers)


def _ask_session(folder: str, signature: meta_graph_pb2.SignatureDef, requests: PredictRequests) -> Predictions:
    """By the graph in a session, as TF Serving does."""
    inputs = {signature.inputs[name].name: _bytes(rows) for name, rows in requests._asdict().items()}
    item_ids, scores = CSession(folder).run(inputs, [signature.outputs[name].name for name in (ITEMS, SCORES)])
    return _answers(item_ids, scores)


def _ask_functions(folder: str, requests: PredictRequests) -> Predictions:
    """By the functions of the SavedModel, where TensorFlow comes without its C API."""
    inputs = {name: tf.constant(_bytes(rows).tolist(), tf.string) for name, rows in requests._asdict().items()}
    answer = tf.saved_model.load(folder).signatures[SERVING](**inputs)
    return _answers(answer[ITEMS].numpy(), answer[SCORES].numpy())


def _bytes(rows: list) -> np.ndarray:
    return np.vectorize(str.encode, otypes=[object])(np.array(rows, dtype=object))


def _answers(item_ids: np.ndarray, scores: np.ndarray) -> Predictions:
    return Predictions([[item.decode() for item in row] for row in item_ids], scores.tolist())


if __name__ == "__main__":
    found = verify(sys.argv[1])
    if found:
        sys.exit(found)
