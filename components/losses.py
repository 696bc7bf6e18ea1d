"""What training minimises: full or sampled softmax, or the paper's binary cross-entropy with sampled negatives."""

from __future__ import annotations

import tensorflow as tf

from components.caser import Caser
from components.contracts import FIRST_ID
from components.sampled_softmax import log_expected_count, log_uniform_negatives, sampled_softmax_loss


def softmax_loss(scores: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of the softmax over all items, averaged over the targets.

    Args:
        scores: float [B, N]; column j is the item with id j + FIRST_ID.
        targets: int [B, T] ids, padded with 0.

    Returns:
        float []: mean over real targets of -log softmax(scores)[target].
    """
    real = tf.cast(targets >= FIRST_ID, scores.dtype)
    # One softmax serves all T targets: log-sum-exp once, then the T scores.
    log_normaliser = tf.reduce_logsumexp(scores, axis=1, keepdims=True)
    target_scores = tf.gather(scores, tf.maximum(targets - FIRST_ID, 0), batch_dims=1)
    return _mean(log_normaliser - target_scores, real)


def sampled_bce_loss(
    target_scores: tf.Tensor, targets: tf.Tensor, negative_scores: tf.Tensor, negatives: tf.Tensor
) -> tf.Tensor:
    """Binary cross-entropy with sampled negatives (equation 11 of the paper).

    Args:
        target_scores: float [B, T].
        targets: int [B, T] ids, padded with 0.
        negative_scores: float [B, N].
        negatives: int [B, N] ids; one that is a target of its row is no negative and does not count.

    Returns:
        float []: mean over real targets of -log sigmoid(score), plus mean over negatives of -log(1 - sigmoid(score)).
    """
    dtype = target_scores.dtype
    hit = tf.reduce_any(negatives[:, :, tf.newaxis] == tf.cast(targets, negatives.dtype)[:, tf.newaxis, :], axis=2)
    positive = _mean(tf.nn.softplus(-target_scores), tf.cast(targets >= FIRST_ID, dtype))
    return positive + _mean(tf.nn.softplus(negative_scores), tf.cast(~hit, dtype))


def uniform_negatives(n_items: int, batch: tf.Tensor, negatives: int) -> tf.Tensor:
    """Ids of items drawn uniformly.

    Args:
        n_items: size of the catalogue.
        batch: number of rows.
        negatives: items per row.

    Returns:
        int32 [batch, negatives].
    """
    return tf.random.uniform([batch, negatives], FIRST_ID, n_items + FIRST_ID, tf.int32)


def loss_of(model: Caser, state: tf.Tensor, targets: tf.Tensor, loss: str, negatives: int) -> tf.Tensor:
    """The configured loss for a batch.

    Args:
        model: scores items.
        state: float [B, 2d], what `model` returned.
        targets: int [B, T] ids, padded with 0.
        loss: "softmax", "sampled_softmax" or "bce".
        negatives: sampled items per window (bce), or for the whole batch (sampled_softmax).

    Returns:
        float [].
    """
    if loss == "softmax":
        return softmax_loss(model.score_all(state), targets)
    if loss == "sampled_softmax":
        shared = log_uniform_negatives(model.n_items, negatives)
        expected = log_expected_count(shared, model.n_items, negatives)
        return sampled_softmax_loss(
            model.score_items(state, targets), targets, model.score_shared(state, shared), shared, expected
        )
    sampled = uniform_negatives(model.n_items, tf.shape(targets)[0], negatives)
    return sampled_bce_loss(model.score_items(state, targets), targets, model.score_items(state, sampled), sampled)


def _mean(values: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    return tf.math.divide_no_nan(tf.reduce_sum(values * weights), tf.reduce_sum(weights))
