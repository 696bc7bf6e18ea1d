"""What training minimises: full or sampled softmax, or the paper's binary cross-entropy with sampled negatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from components.caser import Caser
from components.contracts import FIRST_ID
from components.sampled_softmax import log_expected_count, log_uniform_negatives, sampled_softmax_loss


def softmax_loss(scores: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of the softmax over all items, averaged over the targets.

    One softmax serves all T targets: log-sum-exp once, then the T scores.

    Args:
        scores: float [B, N]; column j is the item with id j + FIRST_ID.
        targets: int [B, T] ids, padded with 0.

    Returns:
        float []: mean over real targets of -log softmax(scores)[target].
    """
    real = tf.cast(targets >= FIRST_ID, scores.dtype)
    shares = tf.math.divide_no_nan(real, tf.reduce_sum(real))
    return _cross_entropy(scores, tf.maximum(targets - FIRST_ID, 0), shares)


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


@tf.custom_gradient
def _cross_entropy(scores: tf.Tensor, columns: tf.Tensor, weights: tf.Tensor) -> tuple[tf.Tensor, Callable[..., Any]]:
    """Sum over b and t of weights[b, t] * -log softmax(scores[b])[columns[b, t]].

    The scores are by far the largest tensor of a training step, so the gradient reuses the exponentials of the forward
    pass; TensorFlow's own gradient would make several more tensors of that size.
    """
    highest = tf.reduce_max(scores, axis=1, keepdims=True)
    exponentials = tf.exp(scores - highest)
    normaliser = tf.reduce_sum(exponentials, axis=1, keepdims=True)
    log_p = tf.gather(scores, columns, batch_dims=1) - highest - tf.math.log(normaliser)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, None, None]:
        softmax_share = upstream * tf.reduce_sum(weights, axis=1, keepdims=True) / normaliser
        rows = tf.broadcast_to(tf.range(tf.shape(columns)[0], dtype=columns.dtype)[:, tf.newaxis], tf.shape(columns))
        at = tf.stack([rows, columns], axis=-1)
        return tf.tensor_scatter_nd_sub(exponentials * softmax_share, at, upstream * weights), None, None

    return -tf.reduce_sum(weights * log_p), gradient
