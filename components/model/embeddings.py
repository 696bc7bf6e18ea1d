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


@keras.saving.register_keras_serializable("caser")
class ItemEmbedding(SparseEmbedding):
    """Embeddings of items, scaled to length 1 on request."""

    def __init__(self, input_dim: int, output_dim: int, normalized: bool, **kwargs: object) -> None:
        """Creates the layer.

        Args:
            input_dim: number of ids.
            output_dim: embedding dimension.
            normalized: whether embeddings have length 1.
            **kwargs: passed to `keras.layers.Embedding`.
        """
        super().__init__(input_dim, output_dim, **kwargs)
        self.normalized, self._frozen = normalized, False

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        """Looks up embeddings, see `lookup_rows`."""
        rows = super().call(ids)
        return tf.math.l2_normalize(rows, axis=-1) if self.normalized else rows

    def table(self) -> tf.Tensor:
        """All embeddings: float [input_dim, output_dim]."""
        if self.normalized and not self._frozen:
            return tf.math.l2_normalize(self.embeddings.value, axis=1)
        return tf.convert_to_tensor(self.embeddings.value)

    def freeze(self) -> None:
        """Stores the normalized embeddings, so that scoring does not normalize the table for every request."""
        if self.normalized and not self._frozen:
            self.embeddings.assign(tf.math.l2_normalize(self.embeddings.value, axis=1))
            self._frozen = True
