"""Checks a SavedModel in a separate process that imports TensorFlow only.

`python -m components.pusher.verification.verify_model DIR [--allow-no-warmup]` exits with 0, or with 1 and one line
that names the problem.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from components.export.golden import golden_mismatch, read_golden
from components.export.signatures import ITEMS, SCORES, SERVING, Predictions, PredictRequests
from components.export.warmup import WARMUP_FILE, read_warmup
from components.pusher.verification.graph_checks import TAG, graph_mismatch, serving_graph

ALLOW_NO_WARMUP = "--allow-no-warmup"


def verify(folder: str, allow_no_warmup: bool = False) -> str | None:
    """Checks the graph, then replays the warm-up requests and the golden request as a server would.

    Args:
        folder: directory of the SavedModel.
        allow_no_warmup: whether the file of warm-up requests may be missing.

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
        warmup = list(read_warmup(folder))
    except FileNotFoundError:
        if not allow_no_warmup:
            return (
                f"there are no warm-up requests ({WARMUP_FILE}), so the first requests to a server would be slow. "
                f"Hint: export the model again, or allow it with {ALLOW_NO_WARMUP}"
            )
        warmup = []
    except ValueError as error:
        return f"the warm-up requests cannot be read: {error}"
    what = "the golden request"
    try:
        with GraphSession(folder, graph) as session:
            predictions = session.predict(golden.requests)
            what = "a warm-up request"
            for request in warmup:
                session.run(request.signature, request.inputs)
    except (tf.errors.OpError, OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        # Sessions put a heading before the reason.
        reason = str(error).removeprefix("Graph execution error:").strip() or type(error).__name__
        return f"{what} failed: {reason.splitlines()[0]}"
    return golden_mismatch(golden, predictions)


class GraphSession:
    """Runs the graph of a SavedModel in a session, as TF Serving does.

    `tf.saved_model.load` would rebuild its Python functions instead and run them eagerly. Use it as a context manager.
    """

    def __init__(self, folder: str, graph: meta_graph_pb2.MetaGraphDef) -> None:
        """Loads nothing yet.

        Args:
            folder: directory of the SavedModel.
            graph: its graph.
        """
        self._folder, self._graph = folder, graph
        self._session = tf.compat.v1.Session(graph=tf.Graph())

    def __enter__(self) -> GraphSession:
        with self._session.graph.as_default():
            tf.compat.v1.saved_model.load(self._session, [TAG], self._folder)
        return self

    def __exit__(self, *exception: object) -> None:
        self._session.close()

    def predict(self, requests: PredictRequests) -> Predictions:
        """Calls `serving_default`.

        Args:
            requests: inputs, one row per user.

        Raises:
            tf.errors.OpError, KeyError, TypeError, ValueError: the request fails.
        """
        outputs = self.run(SERVING, {name: _bytes(rows) for name, rows in requests._asdict().items()})
        return Predictions.from_arrays(outputs[ITEMS], outputs[SCORES])

    def run(self, signature: str, inputs: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Calls a signature.

        Args:
            signature: name of the signature.
            inputs: arrays by name.

        Returns:
            The outputs by name.

        Raises:
            tf.errors.OpError, KeyError, TypeError, ValueError: the request fails.
        """
        declared = self._graph.signature_def[signature]
        outputs: Mapping[str, np.ndarray] = self._session.run(
            {name: tensor.name for name, tensor in declared.outputs.items()},
            {declared.inputs[name].name: value for name, value in inputs.items()},
        )
        return outputs


def _bytes(rows: list) -> np.ndarray:
    return np.vectorize(str.encode, otypes=[object])(np.array(rows, dtype=object))


if __name__ == "__main__":
    problem = verify(sys.argv[1], ALLOW_NO_WARMUP in sys.argv[2:])
    if problem:
        sys.exit(problem)
