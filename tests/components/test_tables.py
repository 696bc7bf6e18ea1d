"""Updates of single rows against Adam written out in numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.caser import Caser
from components.fit import fit
from components.settings import ModelSettings, TrainerSettings
from components.tables import LazyAdam, rows
from components.training_data import Windows

RATE, L2 = 0.1, 0.05


class NumpyAdam:
    """Kingma and Ba, 2015, algorithm 1, for one row."""

    def __init__(self, row):
        self.row, self.m, self.v = row.astype(np.float64), 0.0, 0.0

    def update(self, gradient, step, decay=0.0):
        self.m = 0.9 * self.m + 0.1 * gradient
        self.v = 0.999 * self.v + 0.001 * gradient**2
        rate = RATE * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        self.row = self.row - rate * self.m / (np.sqrt(self.v) + 1e-7) - RATE * decay * self.row


@pytest.mark.parametrize(("l2", "decay"), [(0, 0), (L2, 0), (0, 0.5)])
def test_touched_rows_follow_adam_and_the_others_stay_bit_equal(l2, decay):
    rng = np.random.default_rng(0)
    start = rng.normal(size=[6, 3]).astype(np.float32)
    table = keras.Variable(start, name="embedding")
    optimizer = LazyAdam(RATE, l2, decay)
    optimizer.build([table])
    expected = [NumpyAdam(row) for row in start]
    touched = [[1, 4, 1], [4], [5, 1]]
    for step, ids in enumerate(touched, start=1):
        weights = rng.normal(size=[len(ids), 3]).astype(np.float32)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(rows(table, tf.constant(ids)) * weights)
        gradient = tape.gradient(loss, table.value)
        assert isinstance(gradient, tf.IndexedSlices)
        optimizer.apply_gradients([(gradient, table)])
        for id_ in set(ids):
            slope = sum(weight for other, weight in zip(ids, weights, strict=True) if other == id_)
            expected[id_].update(slope + 2 * l2 * expected[id_].row, step, decay)
    found = table.numpy()
    # Steps of 0.1, and of what is left after opposite ones, in float32.
    np.testing.assert_allclose(found, [adam.row for adam in expected], rtol=1e-4, atol=5e-6)
    assert (found[[0, 2, 3]] == start[[0, 2, 3]]).all()
    for moments in (optimizer._momentums[0], optimizer._velocities[0]):
        assert not moments.numpy()[[0, 2, 3]].any()


def test_a_dense_gradient_is_keras_own_adam():
    results = []
    for optimizer in (LazyAdam(RATE), keras.optimizers.Adam(RATE)):
        weight = keras.Variable(np.ones([2, 2], np.float32))
        for step in (1.0, -3.0, 2.0):
            optimizer.apply_gradients([(tf.constant([[step, 0.5], [0.1, 0.0]]), weight)])
        results.append(weight.numpy())
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("loss", ["bce", "sampled_softmax"])
def test_training_with_a_sample_leaves_rows_alone_that_no_window_and_no_sample_holds(loss):
    keras.utils.set_random_seed(1)
    n_users, n_items = 50, 5000
    model = Caser(n_users, n_items, 3, ModelSettings(d=4, horizontal_filters=2, vertical_filters=1, l2=0.1))
    windows = Windows(
        np.array([2, 2, 3, 4], np.int32),
        np.array([[0, 2, 3], [3, 4, 5], [2, 3, 4], [5, 2, 3]], np.int32),
        np.array([[4], [7], [5], [6]], np.int32),
        np.array([2, 4, 3, 3], np.int32),
    )
    model((windows.user, windows.sequence))
    before = [table.numpy() for table in model.tables]
    fit(model, windows, TrainerSettings(loss=loss, negatives=8, epochs=3, batch_size=2), seed=1)
    changed = [
        np.flatnonzero((table.numpy() != old).reshape(len(old), -1).any(axis=1))
        for table, old in zip(model.tables, before, strict=True)
    ]
    items, users, outputs, biases = changed
    assert set(items) == {0, 2, 3, 4, 5}  # 0 is padding
    assert {2, 3, 4} & set(users)
    assert set(users) <= {1, 2, 3, 4}
    # Six steps of two windows: their targets, and at most 16 negatives each.
    assert {2, 3, 4, 5} <= set(outputs)
    assert len(outputs) <= 4 + 6 * 16
    assert set(biases) <= set(outputs)
