"""Losses: full softmax, sampled softmax, and the paper's binary cross-entropy with sampled negatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from components.features import FIRST_ID
from components.model.caser import Caser
from components.trainer.losses.sampled_softmax import log_uniform_sample, sampled_softmax_loss
from components.trainer.negatives.seen_items import SeenItems

_SMALLEST = np.finfo(np.float32).tiny


def softmax_loss(scores: tf.Tensor, targets: tf.Tensor, seen: tf.Tensor | None) -> tf.Tensor:
    """Softmax cross-entropy over the targets and all unseen items, averaged over the targets.

    All T targets of a window share one log-sum-exp.

    Args:
        scores: float [B, N]; column j is the item with id j + FIRST_ID.
        targets: int32 [B, T] ids, padded with 0 on the right.
        seen: bool [B, N], items excluded from the negatives; None: only the targets are.

    Returns:
        float []: mean over real targets of -log softmax(scores)[target].
    """
    real = targets >= FIRST_ID
    weights = tf.math.divide_no_nan(tf.cast(real, scores.dtype), tf.reduce_sum(tf.cast(real, scores.dtype)))
    # Padding is replaced by the first target so that no other item gets a gradient.
    column = tf.maximum(tf.where(real, targets, targets[:, :1]) - FIRST_ID, 0)
    return _cross_entropy(seen)(scores, column, weights)


def sampled_bce_loss(
    target_scores: tf.Tensor,
    targets: tf.Tensor,
    negative_scores: tf.Tensor,
    negatives: tf.Tensor,
    seen: tf.Tensor | None,
) -> tf.Tensor:
    """Binary cross-entropy with sampled negatives (equation 11 of the paper).

    Args:
        target_scores: float [B, T].
        targets: int32 [B, T] ids, padded with 0.
        negative_scores: float [B, N].
        negatives: int32 [B, N] ids; accidental hits (negatives that are targets of their row) are ignored.
        seen: bool [B, N], further negatives to ignore, or None.

    Returns:
        float []: mean over real targets of -log sigmoid(score), plus mean over negatives of -log(1 - sigmoid(score)).
    """
    dtype = target_scores.dtype
    accidental_hit = tf.reduce_any(negatives[:, :, tf.newaxis] == targets[:, tf.newaxis, :], axis=2)
    ignored = accidental_hit if seen is None else accidental_hit | seen
    positive = _mean(tf.nn.softplus(-target_scores), tf.cast(targets >= FIRST_ID, dtype))
    return positive + _mean(tf.nn.softplus(negative_scores), tf.cast(~ignored, dtype))


def uniform_negatives(n_items: int, batch: tf.Tensor, negatives: int) -> tf.Tensor:
    """Samples item ids uniformly.

    Args:
        n_items: number of items in the catalogue.
        batch: number of rows.
        negatives: number of items per row.

    Returns:
        int32 [batch, negatives].
    """
    return tf.random.uniform([batch, negatives], FIRST_ID, n_items + FIRST_ID, tf.int32)


class Batch(NamedTuple):
    """Inputs of the losses, int32: `user` [B], `position` [B] and `targets` [B, T], padded with 0 on the right."""

    user: tf.Tensor
    position: tf.Tensor
    targets: tf.Tensor


def compute_loss(
    model: Caser, representation: tf.Tensor, batch: Batch, seen: SeenItems | None, loss: str, negatives: int
) -> tf.Tensor:
    """Computes the configured loss of a batch.

    Args:
        model: the model, which scores items.
        representation: float [B, 2d], output of `model`.
        batch: the batch.
        seen: items excluded from the negatives, or None.
        loss: "softmax", "sampled_softmax" or "bce".
        negatives: number of sampled items per window (bce) or per batch (sampled_softmax).

    Returns:
        float [].
    """
    user, position, targets = batch
    if loss == "softmax":
        return softmax_loss(model.score_all(representation), targets, seen and seen.for_catalog(user, position))
    if loss == "sampled_softmax":
        shared, log_q_correction = log_uniform_sample(model.n_items, negatives)
        return sampled_softmax_loss(
            model.score_items(representation, targets),
            targets,
            model.score_shared_candidates(representation, shared) + log_q_correction,
            shared,
            seen and seen.for_shared_candidates(user, position, shared),
        )
    sampled = uniform_negatives(model.n_items, tf.shape(targets)[0], negatives)
    scores = model.score_items(representation, tf.concat([targets, sampled], axis=1))
    target_scores, negative_scores = tf.split(scores, [targets.shape[1], negatives], axis=1)
    return sampled_bce_loss(
        target_scores, targets, negative_scores, sampled, seen and seen.for_row_candidates(user, position, sampled)
    )


def _mean(values: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    return tf.math.divide_no_nan(tf.reduce_sum(values * weights), tf.reduce_sum(weights))


def _cross_entropy(excluded: tf.Tensor | None) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]:
    """Sum over b and t of weights[b, t] * -log softmax(scores[b])[columns[b, t]].

    The softmax skips items with `excluded` bool [B, N], except the targets. The scores are by far the largest tensor
    of a training step, so the gradient reuses the exponentials of the forward pass; TensorFlow's own gradient would
    create several more tensors of that size.
    """

    @tf.custom_gradient
    def loss(scores: tf.Tensor, columns: tf.Tensor, weights: tf.Tensor) -> tuple[tf.Tensor, Callable[..., Any]]:
        rows = tf.broadcast_to(tf.range(tf.shape(columns)[0], dtype=columns.dtype)[:, tf.newaxis], tf.shape(columns))
        at = tf.stack([rows, columns], axis=-1)
        column_scores = tf.gather(scores, columns, batch_dims=1)
        highest = tf.reduce_max(scores, axis=1, keepdims=True)
        exponentials = tf.exp(scores - highest)
        if excluded is not None:
            exponentials *= 1 - tf.cast(excluded, scores.dtype)
            exponentials = tf.tensor_scatter_nd_update(exponentials, at, tf.exp(column_scores - highest))
        # An excluded score may be so high that all other exponentials underflow.
        normaliser = tf.maximum(tf.reduce_sum(exponentials, axis=1, keepdims=True), _SMALLEST)
        log_p = column_scores - highest - tf.math.log(normaliser)

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, None, None]:
            scale = upstream * tf.reduce_sum(weights, axis=1, keepdims=True) / normaliser
            return tf.tensor_scatter_nd_sub(exponentials * scale, at, upstream * weights), None, None

        return -tf.reduce_sum(weights * log_p), gradient

    return loss
