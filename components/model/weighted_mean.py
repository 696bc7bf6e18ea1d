"""Skip connection: a weighted mean of the recent items, with one learned weight per position."""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import ops


@keras.saving.register_keras_serializable("caser")
class WeightedMean(keras.layers.Layer):
    """Mean of the image's rows with softmax weights over the real positions; equal weights before training."""

    def __init__(self, L: int, **kwargs: object) -> None:
        """Creates the layer.

        Args:
            L: number of input items.
            **kwargs: passed to `keras.layers.Layer`.
        """
        super().__init__(**kwargs)
        self.position = self.add_weight(shape=(L, 1), initializer="zeros", name="position_bias")

    def call(self, image: tf.Tensor, real: tf.Tensor) -> tf.Tensor:
        """Averages the rows.

        Args:
            image: float [B, L, d].
            real: float [B, L, 1], 1 for items and 0 for padding.

        Returns:
            float [B, d]; zeros where all positions are padding.
        """
        weights = ops.exp(self.position - ops.max(self.position)) * real
        total = ops.sum(weights, axis=1)
        return tf.math.divide_no_nan(ops.sum(image * weights, axis=1), total)
