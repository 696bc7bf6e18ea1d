"""Softmax over a sample of the catalogue: what full softmax minimises, at a cost that does not grow with it."""

from __future__ import annotations

import math

import tensorflow as tf

from components.features import FIRST_ID

_NEVER = -1e9


def log_uniform_sample(n_items: int, negatives: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Ids drawn by a Zipfian distribution: ids are in the order of falling frequency.

    The column k of an item, from 0, has the probability log((k + 2) / (k + 1)) / log(n_items + 1).

    Args:
        n_items: size of the catalogue.
        negatives: how many are drawn, with replacement.

    Returns:
        int32 [S], the distinct ids among them, sorted; and float [S], logarithms of their weights: how often each was
        drawn, by how often that was expected. The weighted sum of any function of the sample is on average its sum
        over the catalogue.
    """
    drawn = tf.exp(tf.random.uniform([negatives], 0, math.log(n_items + 1)))
    ids = tf.sort(tf.clip_by_value(tf.cast(drawn, tf.int32) - 1, 0, n_items - 1)) + FIRST_ID
    distinct, _, count = tf.unique_with_counts(ids)
    return distinct, tf.math.log(tf.cast(count, tf.float32)) - log_expected_count(distinct, n_items, negatives)


def log_expected_count(ids: tf.Tensor, n_items: int, negatives: int) -> tf.Tensor:
    """How often an item is expected to be drawn for `log_uniform_sample`.

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
    excluded: tf.Tensor | None,
) -> tf.Tensor:
    """Cross-entropy of the softmax whose normaliser is estimated from negatives that all windows share.

    The targets' part of a window's normaliser is known; the weighted sum of exp(score) over the negatives that are no
    targets estimates the part of all other items without bias (importance sampling: Bengio and Senecal, 2008; Jean et
    al., 2015).

    Args:
        target_scores: float [B, T].
        targets: int [B, T] ids, padded with 0.
        negative_scores: float [B, S], with the logarithms of their weights added.
        negatives: int32 [S] distinct ids; one that is a target of the window does not count there.
        excluded: bool [B, S]: further negatives that do not count, or None.

    Returns:
        float []: mean over real targets of -log of the estimated probability.
    """
    T = targets.shape[1]
    targets = tf.cast(targets, negatives.dtype)
    hits = tf.reduce_any(targets[:, :, tf.newaxis] == negatives, axis=1)
    hits = hits if excluded is None else hits | excluded
    others = tf.where(hits, _NEVER, negative_scores)
    real = targets >= FIRST_ID
    # An item that is a target twice is one item of the catalogue.
    before = tf.linalg.band_part(tf.ones([T, T], tf.bool), -1, 0) & ~tf.eye(T, dtype=tf.bool)
    again = tf.reduce_any((targets[:, :, tf.newaxis] == targets[:, tf.newaxis, :]) & before, axis=2)
    known = tf.where(real & ~again, target_scores, _NEVER)
    log_normaliser = tf.reduce_logsumexp(tf.concat([known, others], axis=1), axis=1, keepdims=True)
    weights = tf.cast(real, target_scores.dtype)
    return tf.math.divide_no_nan(tf.reduce_sum((log_normaliser - target_scores) * weights), tf.reduce_sum(weights))
