"""Sliding windows over histories: the one place behind Transform (all windows) and serving (the last window).

A window holds L items that go in and the T items that came next (section 3.1 of the paper). Both are cut out of a
user's history by `_take`, so that training and serving cannot differ.
"""

from __future__ import annotations

import tensorflow as tf

from components.features import FIRST_ID, PADDING


def known_items(ids: tf.RaggedTensor) -> tf.RaggedTensor:
    """Drops padding and unknown items, so that windows hold real items only.

    Args:
        ids: int64 [B, (n)].

    Returns:
        int64 [B, (m)] with m <= n, in the same order.
    """
    return tf.ragged.boolean_mask(ids, ids >= FIRST_ID)


def sliding_windows(
    ids: tf.RaggedTensor, L: int, T: int, partial: bool
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """All windows of all histories, oldest first.

    With L=3 and T=2, the history `1 2 3 4 5 6` becomes

        sequence   targets
        1 2 3      4 5
        2 3 4      5 6
        3 4 5      6 0      where `partial`

    A history shorter than L+T but of at least two items gives one window, padded with 0, and more where `partial`: its
    last T items are the targets, but the first item always goes in.

        history    sequence   targets
        1 2 3 4    0 1 2      3 4
                   1 2 3      4 0      where `partial`
        1 2        0 0 1      2 0
        1          (none)

    Args:
        ids: int64 [B, (n)], oldest first, without padding.
        L: items that go in.
        T: next items to predict.
        partial: whether the newest items also become first targets, in windows that have fewer than T. The paper's
            authors leave these windows out.

    Returns:
        row int64 [W], the history that each window comes from; sequence int64 [W, L], padded on the left;
        targets int64 [W, T], padded on the right; position int64 [W], place of the first target in the history.
    """
    lengths = tf.cast(ids.row_lengths(), tf.int64)
    # Positions of the first target of a history's first window (earlier than L where it is padded) and of its last.
    earliest = tf.maximum(tf.minimum(lengths - T, L), 1)
    latest = lengths - 1 if partial else tf.maximum(lengths - T, earliest)
    windows_per_row = tf.where(lengths < 2, tf.zeros_like(lengths), latest - earliest + 1)
    row = tf.repeat(tf.range(tf.size(lengths, out_type=tf.int64)), windows_per_row)
    first_target = tf.gather(earliest, row) + tf.ragged.range(windows_per_row).flat_values
    return (
        row,
        _take(ids, row, first_target[:, tf.newaxis] + tf.range(-L, 0, dtype=tf.int64)),
        _take(ids, row, first_target[:, tf.newaxis] + tf.range(T, dtype=tf.int64)),
        first_target,
    )


def last_window(ids: tf.RaggedTensor, L: int) -> tf.Tensor:
    """The window that predicts what comes after each history: its newest L items.

    With L=3, `[[1, 2, 3, 4], [1], []]` becomes `[[2, 3, 4], [0, 0, 1], [0, 0, 0]]`.

    Args:
        ids: int64 [B, (n)], oldest first, without padding.
        L: items that go in.

    Returns:
        sequence int64 [B, L], padded on the left.
    """
    lengths = tf.cast(ids.row_lengths(), tf.int64)
    rows = tf.range(tf.size(lengths, out_type=tf.int64))
    return _take(ids, rows, lengths[:, tf.newaxis] + tf.range(-L, 0, dtype=tf.int64))


def _take(ids: tf.RaggedTensor, row: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """Items at `positions` int64 [W, P] of the histories `row` int64 [W]; 0 where a history has no such position."""
    lengths = tf.gather(tf.cast(ids.row_lengths(), tf.int64), row)[:, tf.newaxis]
    starts = tf.gather(tf.cast(ids.row_starts(), tf.int64), row)[:, tf.newaxis]
    inside = (positions >= 0) & (positions < lengths)
    # One padding value behind the last item keeps every index valid, even where there are no items at all.
    values = tf.concat([tf.cast(ids.flat_values, tf.int64), tf.constant([PADDING], tf.int64)], axis=0)
    nowhere = tf.size(values, out_type=tf.int64) - 1
    return tf.gather(values, tf.where(inside, starts + positions, nowhere))
