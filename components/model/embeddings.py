"""Embeddings looked up row by row; gradients stay sparse."""

from __future__ import annotations

import keras
import tensorflow as tf


def lookup_rows(table: keras.Variable, ids: tf.Tensor) -> tf.Tensor:
    """Looks up rows of an embedding table.

    Args:
        table: float [N, ...].
        ids: int of any shape, from 0 to N - 1.

    Returns:
        float [*ids.shape, ...]. The gradient is a `tf.IndexedSlices`. Only the rows are read: after an in-place row
        update, reading the whole variable makes TensorFlow copy it.
    """
    return tf.gather(table.value, ids)


@keras.saving.register_keras_serializable("caser")
class SparseEmbedding(keras.layers.Embedding):
    """Keras' Embedding with sparse lookups, see `lookup_rows`."""

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        """Looks up embeddings, see `lookup_rows`."""
        # Keras converts numpy arrays to floats.
        return lookup_rows(self.embeddings, ids if ids.dtype.is_integer else tf.cast(ids, tf.int32))
