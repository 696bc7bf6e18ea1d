"""Ranks of held-out items and top-k items among a user's unseen items, in standard TensorFlow ops."""

from __future__ import annotations

import tensorflow as tf

from components.features import FIRST_ID, PADDING
from components.ranking.metrics import MISS, NO_RANK

# Number of scores (users x items) held at a time.
MAX_SCORES = 1 << 22


def users_per_batch(n_items: int) -> int:
    """Number of users ranked at a time; bounds memory for large catalogues.

    Args:
        n_items: size of the catalogue.

    Returns:
        From 1 to 512.
    """
    return int(min(max(MAX_SCORES // n_items, 1), 512))


def held_out_ranks(
    scores: tf.Tensor, seen: tf.Tensor, held_out: tf.Tensor, candidates: tf.Tensor | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Ranks every distinct held-out item among all unseen items, other held-out items included.

    Ties count against the model: the rank is the number of unseen items whose score is at least as high. NaN
    counts as the lowest score.

    Args:
        scores: float [B, N]; column j is the item with id j + FIRST_ID.
        seen: int64 [B, S] ids, padded with 0.
        held_out: int64 [B, H] ids, oldest first, padded with 0; UNKNOWN for items outside the vocabulary.
        candidates: bool [B, N] or [1, N], the items to choose from; None: all.

    Returns:
        ranks int64 [B, H], from 1: MISS for unknown items, seen ones, and those that are no candidates; repeated items
        are dropped; padded with NO_RANK on the right. And the items [B, H] the ranks belong to, padded with 0.
    """
    n_items = tf.shape(scores)[1]
    masked = _among(_without(scores, seen), candidates)
    columns = tf.clip_by_value(held_out - FIRST_ID, 0, tf.cast(n_items - 1, tf.int64))
    own = tf.gather(masked, columns, batch_dims=1)
    rank = _count_at_least(masked, own)
    known = (held_out >= FIRST_ID) & tf.math.is_finite(own)
    rank = tf.where(known, rank, tf.cast(MISS, tf.int64))
    kept = (held_out != PADDING) & ~_is_repeated(held_out)
    # Dropped items move to the end, the others keep their order.
    order = tf.argsort(tf.cast(~kept, tf.int32), axis=1, stable=True)
    rank, items = tf.where(kept, rank, NO_RANK), tf.where(kept, held_out, PADDING)
    return tf.gather(rank, order, batch_dims=1), tf.gather(items, order, batch_dims=1)


def top_items(
    scores: tf.Tensor, seen: tf.Tensor, k: int, candidates: tf.Tensor | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """The top-k unseen items.

    Args:
        scores: float [B, N]; column j is the item with id j + FIRST_ID.
        seen: int64 [B, S] ids, padded with 0.
        k: number of items.
        candidates: bool [B, N] or [1, N], the items to choose from; None: all.

    Returns:
        int64 [B, k] ids, best first, ties by popularity; PADDING if fewer are left. And their scores, float [B, k],
        always finite; the lowest float for padding.
    """
    unseen = _among(_without(scores, seen), candidates)
    best = tf.math.top_k(unseen, tf.minimum(k, tf.shape(scores)[1]))
    left = tf.math.is_finite(best.values)
    items = tf.where(left, tf.cast(best.indices, tf.int64) + FIRST_ID, PADDING)
    values = tf.where(left, best.values, scores.dtype.min)
    missing = [[0, 0], [0, k - tf.shape(items)[1]]]
    return tf.pad(items, missing, constant_values=PADDING), tf.pad(values, missing, constant_values=scores.dtype.min)


def _count_at_least(scores: tf.Tensor, own: tf.Tensor) -> tf.Tensor:
    """The number of `scores` [B, N] per row that are at least as high as each of `own` [B, H]; int64 [B, H].

    It sorts the few held-out scores instead of the whole catalogue.
    """
    order = tf.argsort(own, axis=1)
    reached = tf.searchsorted(tf.gather(own, order, batch_dims=1), scores, side="right")
    width = tf.shape(own)[1] + 1
    # Column h: the number of scores that reach exactly the h lowest of `own`.
    reaching = tf.math.bincount(reached, minlength=width, maxlength=width, dtype=tf.int64, axis=-1)
    at_least = tf.cumsum(reaching, axis=1, reverse=True)[:, 1:]
    return tf.gather(at_least, tf.argsort(order, axis=1), batch_dims=1)


def _without(scores: tf.Tensor, seen: tf.Tensor) -> tf.Tensor:
    """Scores with -inf for seen items and finite values for all others."""
    # A sum is finite only if all scores are: one reading pass instead of several that write the whole tensor.
    whole = tf.reduce_all(tf.math.is_finite(tf.reduce_sum(scores, axis=1)))
    finite = tf.cond(whole, lambda: scores, lambda: _finite(scores))
    rows, positions = tf.shape(seen)[0], tf.shape(seen)[1]
    row = tf.repeat(tf.range(rows, dtype=tf.int64), positions)
    column = tf.reshape(seen, [-1]) - FIRST_ID
    real = column >= 0
    indices = tf.stack([tf.boolean_mask(row, real), tf.boolean_mask(column, real)], axis=1)
    minus_infinity = tf.fill([tf.shape(indices)[0]], tf.constant(float("-inf"), scores.dtype))
    return tf.tensor_scatter_nd_update(finite, indices, minus_infinity)


def _among(scores: tf.Tensor, candidates: tf.Tensor | None) -> tf.Tensor:
    """Scores with -inf for items that are no candidates."""
    return scores if candidates is None else tf.where(candidates, scores, tf.constant(float("-inf"), scores.dtype))


def _finite(scores: tf.Tensor) -> tf.Tensor:
    """Replaces NaN by the lowest score and infinities by the nearest finite score."""
    lowest, highest = scores.dtype.min, scores.dtype.max
    numbers = tf.where(tf.math.is_nan(scores), tf.constant(lowest, scores.dtype), scores)
    return tf.clip_by_value(numbers, lowest, highest)


def _is_repeated(held_out: tf.Tensor) -> tf.Tensor:
    """Bool [B, H]: whether the same known item occurs further left. Unknown items are all distinct."""
    order = tf.argsort(held_out, axis=1, stable=True)
    ordered = tf.gather(held_out, order, batch_dims=1)
    same = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= FIRST_ID)
    same = tf.pad(same, [[0, 0], [1, 0]])[:, : tf.shape(held_out)[1]]
    return tf.gather(same, tf.argsort(order, axis=1), batch_dims=1)
