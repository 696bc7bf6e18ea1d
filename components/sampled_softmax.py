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

    The targets' part of a window's normaliser is known; `sum of exp(score - log E)` over the negatives that are no
    targets, E the expected count of an item in the sample, estimates the part of all other items without bias
    (importance sampling: Bengio and Senecal, 2008; Jean et al., 2015).

    Args:
        target_scores: float [B, T].
        targets: int [B, T] ids, padded with 0.
        negative_scores: float [B, S].
        negatives: int [S] ids; one that is a target of the window does not count there.
        log_expected: float [S], see `log_expected_count`.

    Returns:
        float []: mean over real targets of -log of the estimated probability.
    """
    T = targets.shape[1]
    targets = tf.cast(targets, negatives.dtype)
    hits = tf.reduce_any(targets[:, :, tf.newaxis] == negatives, axis=1)
    others = tf.where(hits, _NEVER, negative_scores - log_expected)
    real = targets >= FIRST_ID
    # An item that is a target twice is one item of the catalogue.
    before = tf.linalg.band_part(tf.ones([T, T], tf.bool), -1, 0) & ~tf.eye(T, dtype=tf.bool)
    again = tf.reduce_any((targets[:, :, tf.newaxis] == targets[:, tf.newaxis, :]) & before, axis=2)
    known = tf.where(real & ~again, target_scores, _NEVER)
    log_normaliser = tf.reduce_logsumexp(tf.concat([known, others], axis=1), axis=1, keepdims=True)
    weights = tf.cast(real, target_scores.dtype)
    return tf.math.divide_no_nan(tf.reduce_sum((log_normaliser - target_scores) * weights), tf.reduce_sum(weights))
