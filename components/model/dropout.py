"""Dropout from random bytes: on a CPU, drawing random numbers is most of the cost of dropout."""

from __future__ import annotations

import keras
import tensorflow as tf

_LEVELS = 256  # of a byte
_BYTES = 8  # of one draw


@keras.saving.register_keras_serializable("caser")
class Dropout(keras.layers.Layer):
    """Srivastava et al. (JMLR 2014), as Keras' layer, with one random byte per element.

    The rate is rounded to a multiple of 1/256; kept elements are scaled by exactly that rate.
    """

    def __init__(self, rate: float, **kwargs: object) -> None:
        """Creates the layer.

        Args:
            rate: fraction of elements set to 0, in [0, 1).
            **kwargs: passed to `keras.layers.Layer`.
        """
        super().__init__(**kwargs)
        self.dropped = min(round(rate * _LEVELS), _LEVELS - 1)

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Sets random elements to 0 during training.

        Args:
            inputs: float of any shape.
            training: if false, returns the inputs.

        Returns:
            float of the same shape.
        """
        if not training or not self.dropped:
            return inputs
        elements = tf.size(inputs)
        seed = tf.random.uniform([2], 0, tf.int32.max, tf.int32)
        drawn = tf.random.stateless_uniform([-(-elements // _BYTES)], seed, None, None, tf.int64)
        bytes_ = tf.reshape(tf.reshape(tf.bitcast(drawn, tf.uint8), [-1])[:elements], tf.shape(inputs))
        scale = _LEVELS / (_LEVELS - self.dropped)
        return inputs * (scale * tf.cast(bytes_ >= self.dropped, inputs.dtype))
