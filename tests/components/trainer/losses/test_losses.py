import numpy as np
import tensorflow as tf

from components.features import FIRST_ID
from components.trainer.losses.losses import sampled_bce_loss, softmax_loss


def columns(n_items, *rows):
    """What each row had seen, as columns of the catalogue."""
    return tf.constant([[column + FIRST_ID in seen for column in range(n_items)] for seen in rows])


def test_softmax_loss_is_the_mean_over_real_targets():
    scores = np.random.default_rng(0).normal(size=[2, 5]).astype(np.float32)
    targets = [[2, 4], [6, 0]]
    log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    expected = -(log_p[0, 0] + log_p[0, 2] + log_p[1, 4]) / 3
    np.testing.assert_allclose(softmax_loss(tf.constant(scores), tf.constant(targets), None), expected, rtol=1e-5)


def test_softmax_loss_excludes_seen_items():
    scores = np.random.default_rng(0).normal(size=[2, 5]).astype(np.float32)
    targets, seen = [[2, 4], [6, 0]], [[2, 3, 4], [2, 6]]
    left = {0: [2, 4, 5, 6], 1: [3, 4, 5, 6]}  # targets, and what was not seen

    def log_p(row, item):
        return scores[row, item - FIRST_ID] - np.log(sum(np.exp(scores[row, i - FIRST_ID]) for i in left[row]))

    expected = -(log_p(0, 2) + log_p(0, 4) + log_p(1, 6)) / 3
    loss = softmax_loss(tf.constant(scores), tf.constant(targets), columns(5, *seen))
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_softmax_loss_is_finite_despite_a_dominant_seen_item():
    scores = tf.Variable([[500.0, 1.0, 2.0]])
    with tf.GradientTape() as tape:
        loss = softmax_loss(scores, tf.constant([[3]]), columns(3, [2]))
    assert np.isfinite(loss)
    assert loss > 80  # as far as float32 reaches
    assert np.isfinite(tape.gradient(loss, scores)).all()


def test_softmax_loss_has_the_gradient_of_the_formula():
    rng = np.random.default_rng(0)
    scores = tf.Variable(rng.normal(0, 3, [3, 6]))
    targets = np.array([[2, 4, 4], [7, 0, 0], [0, 0, 0]], np.int32)
    seen = [[2, 3, 4], [], [5]]
    weights = (targets > 0) / 4
    exponentials = np.exp(scores.numpy())
    exponentials[0, 3 - FIRST_ID] = exponentials[2, 5 - FIRST_ID] = 0  # seen, and no targets
    p = exponentials / exponentials.sum(axis=1, keepdims=True)
    chosen = np.eye(8)[targets][:, :, 2:]
    with tf.GradientTape() as tape:
        loss = softmax_loss(scores, tf.constant(targets), columns(6, *seen))
    log_p = np.log(p, where=p > 0, out=np.zeros_like(p))
    np.testing.assert_allclose(loss, -np.einsum("bt,btn,bn->", weights, chosen, log_p))
    expected = np.einsum("bt,btn->bn", weights, p[:, np.newaxis] - chosen)
    np.testing.assert_allclose(tape.gradient(loss, scores), expected, atol=1e-12)


def test_bce_loss_ignores_accidental_hits():
    loss = sampled_bce_loss(
        tf.constant([[1.0, 9.0]]),
        tf.constant([[2, 0]]),
        tf.constant([[0.5, 7.0, 8.0]]),
        tf.constant([[3, 2, 5]]),
        tf.constant([[False, False, True]]),
    )
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    np.testing.assert_allclose(loss, -np.log(sigmoid(1.0)) - np.log(1 - sigmoid(0.5)), rtol=1e-5)


def test_batch_without_targets_has_loss_zero():
    assert float(softmax_loss(tf.zeros([1, 3]), tf.constant([[0, 0]]), None)) == 0
