import keras
import numpy as np
import tensorflow as tf

from components.features import FIRST_ID
from components.trainer.losses.losses import softmax_loss
from components.trainer.losses.sampled_softmax import log_expected_count, log_uniform_sample, sampled_softmax_loss


def test_log_q_correction_is_count_over_expected_count():
    keras.utils.set_random_seed(0)
    ids, log_weights = (part.numpy() for part in log_uniform_sample(20, 200_000))
    np.testing.assert_array_equal(ids, np.arange(20) + FIRST_ID)
    np.testing.assert_allclose(np.exp(log_weights), 1, atol=0.05)
    expected = np.exp(log_expected_count(ids, 20, 200_000).numpy())
    np.testing.assert_allclose(expected.sum(), 200_000, rtol=1e-4)
    np.testing.assert_allclose((np.exp(log_weights) * expected).sum(), 200_000, rtol=1e-4)


def test_sample_has_distinct_sorted_items():
    keras.utils.set_random_seed(0)
    ids, log_weights = (part.numpy() for part in log_uniform_sample(1000, 50))
    assert len(ids) == len(log_weights) < 50
    assert (np.diff(ids) > 0).all()
    assert ids.min() >= FIRST_ID
    assert ids.max() < 1000 + FIRST_ID


def test_sampled_softmax_loss_equals_its_formula():
    negatives = np.array([4, 2, 3, 9])
    excluded = np.array([[False, False, False, False], [False, True, False, False], [False, False, False, False]])
    target_scores = np.array([[1.0, 2.0], [0.5, 9.0], [0.4, 0.4]])
    negative_scores = np.array([[0.3, 1.0, 2.0, 0.1], [0.2, -1.0, 0.0, 3.0], [0.4, 1.0, 0.5, 0.0]])
    targets = np.array([[2, 3], [7, 0], [4, 4]])  # two targets, one and padding, one twice
    known = [np.exp(1.0) + np.exp(2.0), np.exp(0.5), np.exp(0.4)]
    expected = []
    for row, places in ((0, [0, 1]), (1, [0]), (2, [0, 1])):
        others = sum(
            np.exp(negative_scores[row, j])
            for j in range(4)
            if negatives[j] not in targets[row] and not excluded[row, j]
        )
        expected += [-np.log(np.exp(target_scores[row, place]) / (known[row] + others)) for place in places]
    loss = sampled_softmax_loss(*map(tf.constant, (target_scores, targets, negative_scores, negatives, excluded)))
    np.testing.assert_allclose(loss, np.mean(expected), rtol=1e-6)


def test_sampled_softmax_converges_to_full_softmax():
    keras.utils.set_random_seed(3)
    n_items, negatives = 30, 100_000
    scores = tf.Variable(np.random.default_rng(0).normal(size=[4, n_items]).astype(np.float32))
    targets = tf.constant([[2, 5], [9, 31], [4, 0], [17, 18]])
    seen = np.zeros([4, n_items], bool)
    seen[[0, 0, 2, 2, 2, 3], np.array([2, 3, 7, 8, 9, 17]) - FIRST_ID] = True
    sample, log_weights = log_uniform_sample(n_items, negatives)
    with tf.GradientTape(persistent=True) as tape:
        full = softmax_loss(scores, targets, tf.constant(seen))
        sampled = sampled_softmax_loss(
            tf.gather(scores, tf.maximum(targets - FIRST_ID, 0), batch_dims=1),
            targets,
            tf.gather(scores, sample - FIRST_ID, axis=1) + log_weights,
            sample,
            tf.gather(seen, sample - FIRST_ID, axis=1),
        )
    np.testing.assert_allclose(sampled, full, rtol=2e-3)
    of_full, of_sampled = (tf.convert_to_tensor(tape.gradient(loss, scores)) for loss in (full, sampled))
    np.testing.assert_allclose(of_sampled, of_full, atol=2e-3)
