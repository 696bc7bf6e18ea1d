"""What training minimises: full or sampled softmax, or the paper's binary cross-entropy with sampled negatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from components.caser import Caser
from components.contracts import FIRST_ID
from components.sampled_softmax import log_uniform_sample, sampled_softmax_loss
from components.seen_items import Pairs, SeenItems, among


def softmax_loss(scores: tf.Tensor, targets: tf.Tensor, seen: Pairs) -> tf.Tensor:
    """Cross-entropy of the softmax over the targets and all items not seen before, averaged over the targets.

    One softmax serves all T targets: log-sum-exp once, then the T scores.

    Args:
        scores: float [B, N]; column j is the item with id j + FIRST_ID.
        targets: int32 [B, T] ids, padded with 0 on the right.
        seen: items that are no negatives.

    Returns:
        float []: mean over real targets of -log softmax(scores)[target].
    """
    real = targets >= FIRST_ID
    shares = tf.math.divide_no_nan(tf.cast(real, scores.dtype), tf.reduce_sum(tf.cast(real, scores.dtype)))
    # Padding stands for the first target, so that it brings no other item in.
    column = tf.maximum(tf.where(real, targets, targets[:, :1]) - FIRST_ID, 0)
    left_out = tf.stack([seen.row, seen.item - FIRST_ID], axis=1)
    return _cross_entropy(scores, column, shares, left_out)


def sampled_bce_loss(
    target_scores: tf.Tensor, targets: tf.Tensor, negative_scores: tf.Tensor, negatives: tf.Tensor, seen: tf.Tensor
) -> tf.Tensor:
    """Binary cross-entropy with sampled negatives (equation 11 of the paper).

    Args:
        target_scores: float [B, T].
        targets: int32 [B, T] ids, padded with 0.
        negative_scores: float [B, N].
        negatives: int32 [B, N] ids; one that is a target of its row is no negative and does not count.
        seen: bool [B, N]: further negatives that do not count.

    Returns:
        float []: mean over real targets of -log sigmoid(score), plus mean over negatives of -log(1 - sigmoid(score)).
    """
    dtype = target_scores.dtype
    hit = seen | tf.reduce_any(negatives[:, :, tf.newaxis] == targets[:, tf.newaxis, :], axis=2)
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


class Batch(NamedTuple):
    """What the loss looks at, int32: `user` [B], `position` [B] and `targets` [B, T], padded with 0 on the right."""

    user: tf.Tensor
    position: tf.Tensor
    targets: tf.Tensor


def loss_of(model: Caser, state: tf.Tensor, batch: Batch, seen: SeenItems, loss: str, negatives: int) -> tf.Tensor:
    """The configured loss for a batch.

    Args:
        model: scores items.
        state: float [B, 2d], what `model` returned.
        batch: whose state it is.
        seen: items that are no negatives.
        loss: "softmax", "sampled_softmax" or "bce".
        negatives: sampled items per window (bce), or for the whole batch (sampled_softmax).

    Returns:
        float [].
    """
    user, position, targets = batch
    if loss == "softmax":
        return softmax_loss(model.score_all(state), targets, seen.before(user, position))
    rows = tf.shape(targets)[0]
    if loss == "sampled_softmax":
        shared, log_weights = log_uniform_sample(model.n_items, negatives)
        return sampled_softmax_loss(
            model.score_items(state, targets),
            targets,
            model.score_shared(state, shared) + log_weights,
            shared,
            among(seen.before(user, position), shared, rows),
        )
    drawn = uniform_negatives(model.n_items, rows, negatives)
    return sampled_bce_loss(
        model.score_items(state, targets),
        targets,
        model.score_items(state, drawn),
        drawn,
        seen.had_met(user, position, drawn),
    )


def _mean(values: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    return tf.math.divide_no_nan(tf.reduce_sum(values * weights), tf.reduce_sum(weights))


@tf.custom_gradient
def _cross_entropy(
    scores: tf.Tensor, columns: tf.Tensor, weights: tf.Tensor, left_out: tf.Tensor
) -> tuple[tf.Tensor, Callable[..., Any]]:
    """Sum over b and t of weights[b, t] * -log softmax(scores[b])[columns[b, t]].

    The softmax leaves out what is at `left_out` int32 [M, 2], but for the targets themselves. The scores are by far the
    largest tensor of a training step, so the gradient reuses the exponentials of the forward pass; TensorFlow's own
    gradient would make several more tensors of that size.
    """
    rows = tf.broadcast_to(tf.range(tf.shape(columns)[0], dtype=columns.dtype)[:, tf.newaxis], tf.shape(columns))
    at = tf.stack([rows, columns], axis=-1)
    chosen = tf.gather(scores, columns, batch_dims=1)
    lowest = tf.fill(tf.shape(left_out)[:1], tf.constant(-np.inf, scores.dtype))
    rivals = tf.tensor_scatter_nd_update(tf.tensor_scatter_nd_update(scores, left_out, lowest), at, chosen)
    highest = tf.reduce_max(rivals, axis=1, keepdims=True)
    exponentials = tf.exp(rivals - highest)
    normaliser = tf.reduce_sum(exponentials, axis=1, keepdims=True)
    log_p = chosen - highest - tf.math.log(normaliser)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, None, None, None]:
        softmax_share = upstream * tf.reduce_sum(weights, axis=1, keepdims=True) / normaliser
        return tf.tensor_scatter_nd_sub(exponentials * softmax_share, at, upstream * weights), None, None, None

    return -tf.reduce_sum(weights * log_p), gradient
