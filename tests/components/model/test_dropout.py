import keras
import numpy as np
import pytest
import tensorflow as tf

from components.model.dropout import Dropout


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.75, 0.999])
def test_dropout_keeps_the_mean_at_its_rate(rate):
    keras.utils.set_random_seed(1)
    shape = [301, 7, 11]  # no multiple of eight
    kept = np.asarray(Dropout(rate)(tf.ones(shape), training=True))
    assert kept.shape == tuple(shape)
    spread = np.sqrt(rate * (1 - rate) / kept.size)
    assert abs(np.mean(kept == 0) - rate) < 5 * spread + 1 / 512  # rates are multiples of 1/256
    np.testing.assert_allclose(kept[kept > 0], kept.max())
    assert abs(kept.mean() - 1) < 5 * spread / (1 - rate)


def test_dropout_masks_are_independent():
    keras.utils.set_random_seed(1)
    layer = Dropout(0.5)
    steps = np.stack([np.asarray(layer(tf.ones([400, 16]), training=True)) > 0 for _ in range(3)])
    rows = steps.reshape(3 * 400, 16) @ 2.0 ** np.arange(16)
    assert len(np.unique(rows)) > 1150  # of 1,200 draws out of 65,536
    correlation = np.corrcoef(steps.reshape(3, -1))
    assert np.abs(correlation - np.eye(3)).max() < 5 / np.sqrt(400 * 16)


def test_dropout_gradient_has_the_mask_of_the_forward_pass():
    x = tf.Variable(tf.ones([50, 8]))
    with tf.GradientTape() as tape:
        y = Dropout(0.3)(x, training=True)
    np.testing.assert_array_equal(tape.gradient(y, x), y)


def test_dropout_is_the_identity_outside_training():
    x = tf.ones([3, 5])
    np.testing.assert_array_equal(Dropout(0.5)(x), x)
    np.testing.assert_array_equal(Dropout(0.0)(x, training=True), x)


def test_dropout_is_reproducible_with_the_same_seed():
    drawn = []
    for _ in range(2):
        keras.utils.set_random_seed(7)
        drawn.append(np.asarray(Dropout(0.5)(tf.ones([20, 20]), training=True)))
    np.testing.assert_array_equal(*drawn)
