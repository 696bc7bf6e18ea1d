"""Adam in one kernel per weight, and row by row where a step touches few rows of a table."""

from __future__ import annotations

import keras
import tensorflow as tf

# A row that is updated by itself costs as much as some tens of rows that are updated in one sweep.
_SWEPT_PER_ROW = 32


@keras.saving.register_keras_serializable("caser")
class Adam(keras.optimizers.Adam):
    """Adam (Kingma and Ba, ICLR 2015) with L2 regularisation and decoupled weight decay (Loshchilov and Hutter, 2019).

    Both spare biases, since an item's popularity is no sign of overfitting. Where a step touches few rows of a table,
    the others stay as they are, their moments too: with a million items that saves nearly all of the time. Keras' own
    Adam makes a dozen tensors of every weight's size.
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
            l2: weight of the squared norm of weights in the loss; in a table that of the rows that are updated.
            weight_decay: share of a weight that it loses when it is updated, per unit of the learning rate.
        """
        # Keras' own weight decay would touch every row of a table.
        super().__init__(learning_rate)
        self.l2, self.decoupled_decay = l2, weight_decay

    def update_step(self, gradient: tf.Tensor | tf.IndexedSlices, variable: tf.Variable, learning_rate: object) -> None:
        """See Keras: updates one variable."""
        index = self._get_variable_index(variable)
        moment, square = self._momentums[index].value, self._velocities[index].value
        rate = tf.cast(learning_rate, variable.dtype)
        l2, decay = (0.0, 0.0) if "bias" in variable.name else (self.l2, self.decoupled_decay)
        if isinstance(gradient, tf.IndexedSlices) and _touches_few(gradient, variable):
            self._update_rows(gradient, variable, moment, square, rate, l2, decay)
            return
        if isinstance(gradient, tf.IndexedSlices):
            gradient = tf.math.unsorted_segment_sum(gradient.values, gradient.indices, variable.shape[0])
        if l2:
            gradient += 2 * l2 * variable
        if decay:
            variable.assign((1 - rate * decay) * variable)
        power_1, power_2 = self._powers(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=moment.handle,
            v=square.handle,
            beta1_power=power_1,
            beta2_power=power_2,
            lr=rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )

    def _update_rows(
        self,
        gradient: tf.IndexedSlices,
        variable: tf.Variable,
        moment: tf.Variable,
        square: tf.Variable,
        rate: tf.Tensor,
        l2: float,
        decay: float,
    ) -> None:
        # A row may be touched more than once.
        ids, place = tf.unique(gradient.indices)
        slope = tf.math.unsorted_segment_sum(gradient.values, place, tf.size(ids))
        shrunk = 0.0
        if l2 or decay:
            before = tf.gather(variable, ids)
            slope += 2 * l2 * before
            shrunk = rate * decay * before
        new_moment = self.beta_1 * tf.gather(moment, ids) + (1 - self.beta_1) * slope
        new_square = self.beta_2 * tf.gather(square, ids) + (1 - self.beta_2) * slope**2
        moment.scatter_update(tf.IndexedSlices(new_moment, ids))
        square.scatter_update(tf.IndexedSlices(new_square, ids))
        power_1, power_2 = self._powers(variable)
        rate *= tf.sqrt(1 - power_2) / (1 - power_1)
        variable.scatter_sub(tf.IndexedSlices(rate * new_moment / (tf.sqrt(new_square) + self.epsilon) + shrunk, ids))

    def _powers(self, variable: tf.Variable) -> tuple[tf.Tensor, tf.Tensor]:
        """The first and the second decay rate to the number of the step."""
        step = tf.cast(self.iterations + 1, variable.dtype)
        return self.beta_1**step, self.beta_2**step


def _touches_few(gradient: tf.IndexedSlices, table: tf.Variable) -> bool:
    """Whether updating single rows costs less; rows that are known only when the step runs are taken for few."""
    touched = gradient.indices.shape[0]
    return touched is None or touched * _SWEPT_PER_ROW < table.shape[0]
