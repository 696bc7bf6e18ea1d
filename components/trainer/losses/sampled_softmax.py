"""Sampled softmax: full softmax estimated from a sample; its cost is independent of the catalogue size."""

from __future__ import annotations

import math

import tensorflow as tf

from components.features import FIRST_ID

_MASKED = -1e9


def log_uniform_sample(n_items: int, negatives: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Samples ids from a log-uniform (Zipfian) distribution; ids are sorted by descending frequency.

    The k-th most frequent item, from 0, has probability log((k + 2) / (k + 1)) / log(n_items + 1).

    Args:
        n_items: number of items in the catalogue.
        negatives: number of draws, with replacement.

    Returns:
        int32 [S], the distinct sampled ids, sorted; and float [S], the log-Q correction log(count / expected count).
        With these importance weights, a sum over the sample is an unbiased estimate of the sum over the catalogue.
    """
    sampled = tf.exp(tf.random.uniform([negatives], 0, math.log(n_items + 1)))
    ids = tf.sort(tf.clip_by_value(tf.cast(sampled, tf.int32) - 1, 0, n_items - 1)) + FIRST_ID
    distinct, _, count = tf.unique_with_counts(ids)
    return distinct, tf.math.log(tf.cast(count, tf.float32)) - log_expected_count(distinct, n_items, negatives)


def log_expected_count(ids: tf.Tensor, n_items: int, negatives: int) -> tf.Tensor:
    """Log of the expected number of times that `log_uniform_sample` draws an item.

    Args:
        ids: int of any shape.
        n_items: number of items in the catalogue.
        negatives: number of draws.

    Returns:
        float of the same shape.
    """
    k = tf.cast(ids - FIRST_ID, tf.float32)
    return tf.math.log(negatives * tf.math.log1p(1 / (k + 1)) / math.log(n_items + 1))


def sampled_softmax_loss(
    target_scores: tf.Tensor,
    targets: tf.Tensor,
    negative_scores: tf.Tensor,
    negatives: tf.Tensor,
    excluded: tf.Tensor | None,
) -> tf.Tensor:
    """Softmax cross-entropy with a normalizer estimated from negatives shared by all windows.

    The targets' part of the normalizer is exact; the weighted sum of exp(score) over the negatives estimates the rest
    without bias (importance sampling: Bengio and Senecal, 2008; Jean et al., 2015).

    Args:
        target_scores: float [B, T].
        targets: int [B, T] ids, padded with 0.
        negative_scores: float [B, S], with the log-Q correction added.
        negatives: int32 [S] distinct ids; accidental hits (targets of the window) are masked.
        excluded: bool [B, S], further negatives to mask, or None.

    Returns:
        float []: mean over real targets of -log(estimated probability).
    """
    T = targets.shape[1]
    targets = tf.cast(targets, negatives.dtype)
    accidental_hits = tf.reduce_any(targets[:, :, tf.newaxis] == negatives, axis=1)
    masked = accidental_hits if excluded is None else accidental_hits | excluded
    others = tf.where(masked, _MASKED, negative_scores)
    real = targets >= FIRST_ID
    # An item that occurs twice among the targets counts once in the normalizer.
    before = tf.linalg.band_part(tf.ones([T, T], tf.bool), -1, 0) & ~tf.eye(T, dtype=tf.bool)
    repeated = tf.reduce_any((targets[:, :, tf.newaxis] == targets[:, tf.newaxis, :]) & before, axis=2)
    known = tf.where(real & ~repeated, target_scores, _MASKED)
    log_normalizer = tf.reduce_logsumexp(tf.concat([known, others], axis=1), axis=1, keepdims=True)
    weights = tf.cast(real, target_scores.dtype)
    return tf.math.divide_no_nan(tf.reduce_sum((log_normalizer - target_scores) * weights), tf.reduce_sum(weights))
