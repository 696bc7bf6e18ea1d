"""Tables with a row per user or item, read row by row, so that a step costs what it touches."""

from __future__ import annotations

import keras
import tensorflow as tf


def rows(table: keras.Variable, ids: tf.Tensor) -> tf.Tensor:
    """Some rows of a table.

    Args:
        table: float [N, ...].
        ids: int of any shape, each from 0 to N - 1.

    Returns:
        float [*ids.shape, ...]. Its gradient is `tf.IndexedSlices`. The table itself is not read: once rows of a
        variable have been updated in place, TensorFlow copies the whole of it for every such read.
    """
    return tf.gather(table.value, ids)


@keras.saving.register_keras_serializable("caser")
class Table(keras.layers.Embedding):
    """Keras' embedding by `rows`."""

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        """See `rows`."""
        # Keras makes floats of what comes as a numpy array.
        return rows(self.embeddings, ids if ids.dtype.is_integer else tf.cast(ids, tf.int32))
