"""Softmax over a sample of the catalogue: what full softmax minimises, at a cost that does not grow with it."""

from __future__ import annotations

import math

import tensorflow as tf

from components.contracts import FIRST_ID

_NEVER = -1e9


def log_uniform_negatives(n_items: int, negatives: int) -> tf.Tensor:
    """Ids drawn by a Zipfian distribution: ids are in the order of falling frequency.

    The column k of an item, from 0, has the probability log((k + 2) / (k + 1)) / log(n_items + 1).

    Args:
        n_items: size of the catalogue.
        negatives: how many, with replacement.

    Returns:
        int32 [negatives].
    """
    drawn = tf.exp(tf.random.uniform([negatives], 0, math.log(n_items + 1)))
    return tf.clip_by_value(tf.cast(drawn, tf.int32) - 1, 0, n_items - 1) + FIRST_ID


def log_expected_count(ids: tf.Tensor, n_items: int, negatives: int) -> tf.Tensor:
    """How often an item is expected among `log_uniform_negatives`.

    Args:
        ids: int of any shape.
        n_items: size of the catalogue.
        negatives: how many are drawn.

    Returns:
        float of the same shape: the logarithm.
    """
    place = tf.cast(ids - FIRST_ID, tf.float32)
    return tf.math.log(negatives * tf.math.log1p(1 / (place + 1)) / math.log(n_items + 1))


def sampled_softmax_loss(
    target_scores: tf.Tensor,
    targets: tf.Tensor,
    negative_scores: tf.Tensor,
    negatives: tf.Tensor,
    log_expected: tf.Tensor,
) -> tf.Tensor:
    """Cross-entropy of the softmax whose normaliser is estimated from negatives that all windows share.

    With E the expected count of an item in the sample, `sum of exp(score - log E)` over the negatives other than the
    target estimates without bias what these items add to the normaliser of the full softmax; the target's own part is
    known (importance sampling: Bengio and Senecal, 2008; Jean et al., 2015).

    Args:
        target_scores: float [B, T].
        targets: int [B, T] ids, padded with 0.
        negative_scores: float [B, S].
        negatives: int [S] ids; where one is the target itself, it does not count.
        log_expected: float [S], see `log_expected_count`.

    Returns:
        float []: mean over real targets of -log of the estimated probability.
    """
    hits = tf.cast(targets, negatives.dtype)[:, :, tf.newaxis] == negatives
    others = tf.where(hits, _NEVER, (negative_scores - log_expected)[:, tf.newaxis, :])
    log_others = tf.reduce_logsumexp(others, axis=2)
    losses = tf.nn.softplus(log_others - target_scores)
    real = tf.cast(targets >= FIRST_ID, losses.dtype)
    return tf.math.divide_no_nan(tf.reduce_sum(losses * real), tf.reduce_sum(real))
