"""Tables with a row per user or item, read and trained row by row, so that a step costs what it touches."""

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


@keras.saving.register_keras_serializable("caser")
class LazyAdam(keras.optimizers.Adam):
    """Adam that leaves the rows of a table alone that a step did not touch, their moments too.

    Keras' own Adam moves every row in every step, since moments decay: with a million items that is nearly all of the
    time. Weights that are no tables are treated as there.
    """

    def __init__(
        self,
        learning_rate: keras.optimizers.schedules.LearningRateSchedule | float,
        l2: float = 0,
        weight_decay: float = 0,
    ) -> None:
        """Makes the optimiser.

        Args:
            learning_rate: number or schedule.
            l2: weight of the squared norm of the touched rows in the loss. Biases, which are tables of numbers, are
                not regularised.
            weight_decay: share of a weight that it loses in a step, per unit of the learning rate (decoupled, as in
                `components.fit.adam`); a row of a table loses it only where it is touched, and biases lose nothing.
        """
        super().__init__(learning_rate, weight_decay=weight_decay)
        # All rows of a table would be touched: `update_step` sees to those that are.
        self.exclude_from_weight_decay(var_names=["bias", "embedding"])
        self.l2 = l2

    def update_step(self, gradient: tf.Tensor | tf.IndexedSlices, variable: tf.Variable, learning_rate: object) -> None:
        """See Keras: updates one variable."""
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        # A row may be touched more than once.
        ids, place = tf.unique(gradient.indices)
        slope = tf.math.unsorted_segment_sum(gradient.values, place, tf.size(ids))
        shrunk = 0.0
        if variable.shape.rank > 1:
            before = tf.gather(variable, ids)
            slope += 2 * self.l2 * before
            shrunk = tf.cast(learning_rate, variable.dtype) * self.weight_decay * before
        index = self._get_variable_index(variable)
        moment, square = self._momentums[index].value, self._velocities[index].value
        new_moment = self.beta_1 * tf.gather(moment, ids) + (1 - self.beta_1) * slope
        new_square = self.beta_2 * tf.gather(square, ids) + (1 - self.beta_2) * slope**2
        moment.scatter_update(tf.IndexedSlices(new_moment, ids))
        square.scatter_update(tf.IndexedSlices(new_square, ids))
        step = tf.cast(self.iterations + 1, variable.dtype)
        rate = tf.cast(learning_rate, variable.dtype) * tf.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        moved = rate * new_moment / (tf.sqrt(new_square) + self.epsilon)
        variable.scatter_sub(tf.IndexedSlices(moved + shrunk, ids))
