"""Updates of whole weights and of single rows against Adam written out in numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.features import FIRST_ID
from components.model.caser import Caser
from components.model.embeddings import lookup_rows
from components.model.settings import ModelSettings
from components.model.window_settings import WindowSettings
from components.trainer.fit import fit
from components.trainer.optimizer import Adam
from components.trainer.settings import TrainerSettings
from components.trainer.windows import Windows
from components.transform.histories import EncodedHistories

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
@pytest.mark.parametrize("n_rows", [6, 200])
def test_sparse_update_equals_adam_on_the_touched_rows(l2, decay, n_rows):
    rng = np.random.default_rng(0)
    start = rng.normal(size=[n_rows, 3]).astype(np.float32)
    table = keras.Variable(start, name="embedding")
    optimizer = Adam(RATE, l2, decay)
    optimizer.build([table])
    expected = [NumpyAdam(row) for row in start]
    touched = [[1, 4, 1], [4], [5, 1]]
    for step, ids in enumerate(touched, start=1):
        weights = rng.normal(size=[len(ids), 3]).astype(np.float32)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(lookup_rows(table, tf.constant(ids)) * weights)
        gradient = tape.gradient(loss, table.value)
        assert isinstance(gradient, tf.IndexedSlices)
        optimizer.apply_gradients([(gradient, table)])
        for id_ in set(ids) if n_rows == 200 else range(n_rows):
            slope = sum(weight for other, weight in zip(ids, weights, strict=True) if other == id_)
            expected[id_].update(slope + 2 * l2 * expected[id_].row, step, decay)
    actual = table.numpy()
    # Steps of 0.1, and of what is left after opposite ones, in float32.
    np.testing.assert_allclose(actual, [adam.row for adam in expected], rtol=1e-4, atol=5e-6)
    if n_rows == 200:
        others = np.setdiff1d(np.arange(n_rows), [1, 4, 5])
        np.testing.assert_array_equal(actual[others], start[others])
        for moments in (optimizer._momentums[0], optimizer._velocities[0]):
            assert not moments.numpy()[others].any()


def test_dense_update_equals_adam_of_keras():
    results = []
    for optimizer in (Adam(RATE), keras.optimizers.Adam(RATE)):
        weight = keras.Variable(np.ones([2, 2], np.float32))
        for step in (1.0, -3.0, 2.0):
            optimizer.apply_gradients([(tf.constant([[step, 0.5], [0.1, 0.0]]), weight)])
        results.append(weight.numpy())
    # The kernel rounds 1 - beta_2 to float32, Keras does not.
    np.testing.assert_allclose(*results, rtol=1e-5)


def test_weight_decay_exempts_biases():
    model = Caser(40, 12, 3, ModelSettings(d=2, heights=[1, 2]))
    model((np.array([FIRST_ID]), np.zeros([1, 3], int)))
    model.set_weights([np.ones_like(weight) for weight in model.get_weights()])
    optimizer = Adam(keras.optimizers.schedules.CosineDecay(0.1, 10), weight_decay=0.5)
    optimizer.apply_gradients([(tf.zeros(weight.shape), weight) for weight in model.trainable_variables])
    for weight in model.trainable_variables:
        np.testing.assert_allclose(weight, 1.0 if "bias" in weight.name else 0.95, err_msg=weight.name)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("loss", ["bce", "sampled_softmax"])
def test_sampled_loss_updates_only_touched_rows(loss, tied):
    keras.utils.set_random_seed(1)
    n_users, n_items = 500, 5000
    model = Caser(
        n_users, n_items, 3, ModelSettings(d=4, horizontal_filters=2, vertical_filters=1, l2=0.1, tied_embeddings=tied)
    )
    histories = EncodedHistories.of([2, 3, 4], [2, 3, 4, 5, 7, 2, 3, 4, 5, 2, 3, 6], [5, 3, 4])
    windows = Windows(histories, WindowSettings(L=3, T=1, partial_sequences=False, partial_targets=False))
    assert [row.numpy().tolist() for row in windows.at(range(4))[1:3]] == [
        [[2, 3, 4], [3, 4, 5], [0, 2, 3], [5, 2, 3]],
        [[5], [7], [4], [6]],
    ]
    model(windows.at([0])[:2])
    before = [table.numpy() for table in model.tables]
    fit(model, windows, TrainerSettings(loss=loss, num_negatives=8, epochs=3, batch_size=2), seed=1)
    changed = [
        np.flatnonzero((table.numpy() != old).reshape(len(old), -1).any(axis=1))
        for table, old in zip(model.tables, before, strict=True)
    ]
    items, users, outputs, biases = changed
    inputs = {0, 2, 3, 4, 5}  # 0 is padding
    assert set(items) == (inputs | {output + FIRST_ID for output in outputs} if tied else inputs)
    assert {2, 3, 4} & set(users)
    assert set(users) <= {1, 2, 3, 4}
    # Six steps of two windows: their targets, and at most 16 negatives each.
    assert {2, 3, 4, 5} <= set(outputs)
    assert len(outputs) <= 4 + 6 * 16
    assert set(biases) <= set(outputs)
