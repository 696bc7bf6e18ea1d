"""How Beam's RunInference calls the exported model."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf
from apache_beam.ml.inference.base import ModelHandler

from components.batch_recommender import progress
from components.example_gen.raw_examples import parse_raw_examples
from components.export.signatures import ITEMS, SCORES, SERVE_TF_EXAMPLE

_CORES = os.cpu_count() or 1
# One row per user; recommendations are best first.
SCHEMA = pa.schema([("user_id", pa.string()), ("item_ids", pa.list_(pa.string())), ("scores", pa.list_(pa.float32()))])


class CaserModelHandler(ModelHandler[Sequence[bytes], pa.Table, Any]):
    """Recommends for groups of users by the signature `serve_tf_example`.

    A group is one element, since Beam handles an element in some microseconds, and a user takes no longer than that.
    """

    def __init__(self, model_dir: str, k: int) -> None:
        """Remembers what to load; workers load it.

        Args:
            model_dir: directory of the SavedModel, or its URI.
            k: number of recommendations per user, at most those of the model.
        """
        super().__init__()
        self._model_dir, self._k = model_dir, k

    def load_model(self) -> Any:
        """Loads the model, once per process."""
        return tf.saved_model.load(self._model_dir)

    def run_inference(
        self, batch: Sequence[Sequence[bytes]], model: Any, inference_args: dict[str, Any] | None = None
    ) -> Iterable[pa.Table]:
        """Recommends.

        Args:
            batch: groups of users, serialized raw Examples.
            model: from `load_model`.
            inference_args: not used.

        Returns:
            A table per group, see SCHEMA.
        """

        def recommend(examples: Sequence[bytes]) -> pa.Table:
            serialized = tf.constant(list(examples), tf.string)
            outputs = model.signatures[SERVE_TF_EXAMPLE](examples=serialized)
            users = parse_raw_examples(serialized).user_id
            return to_table(*(part.numpy() for part in (users, outputs[ITEMS][:, : self._k], outputs[SCORES])))

        # Many ops of a small catalogue run on one core.
        with ThreadPoolExecutor(_CORES) as pool:
            for examples, table in zip(batch, pool.map(recommend, batch), strict=True):
                progress.report(len(examples))
                yield table

    def batch_elements_kwargs(self) -> dict[str, int]:
        """Groups that are handled at the same time."""
        return {"min_batch_size": _CORES, "max_batch_size": _CORES}


def to_table(users: np.ndarray, items: np.ndarray, scores: np.ndarray) -> pa.Table:
    """A row per user.

    Args:
        users: bytes [B].
        items: bytes [B, k], "" where fewer are left.
        scores: float32 [B, at least k].
    """
    scores = scores[:, : items.shape[1]]
    real = items != b""
    offsets = pa.array(np.concatenate([[0], np.cumsum(real.sum(axis=1))]), pa.int32())
    flat = pa.array(items[real].tolist(), pa.binary()).cast(pa.string())
    columns = [
        pa.array(users.tolist(), pa.binary()).cast(pa.string()),
        pa.ListArray.from_arrays(offsets, flat),
        pa.ListArray.from_arrays(offsets, pa.array(scores[real], pa.float32())),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)
