"""Sliding windows over histories, shared by Transform (all windows) and serving (the last window).

A window has L input items and the next T items as targets (section 3.1 of the paper). Training and serving both use
`_take`, so they cannot differ.
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
    ids: tf.RaggedTensor, L: int, T: int, partial_sequences: bool, partial_targets: bool
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """All windows of all histories, oldest first.

    With L=3 and T=2, the history `1 2 3 4 5 6` becomes

        sequence   targets
        0 0 1      2 3      if `partial_sequences`
        0 1 2      3 4      if `partial_sequences`
        1 2 3      4 5
        2 3 4      5 6
        3 4 5      6 0      if `partial_targets`

    A history of at least two but fewer than L+T items gives one window whatever the arguments, padded with 0: its last
    T items are the targets, but the first item is always an input.

        history    sequence   targets
        1 2 3 4    0 0 1      2 3      if `partial_sequences`
                   0 1 2      3 4
                   1 2 3      4 0      if `partial_targets`
        1 2        0 0 1      2 0
        1          (none)

    Args:
        ids: int64 [B, (n)], oldest first, without padding.
        L: number of input items.
        T: number of target items.
        partial_sequences: whether to add the first windows, which have fewer than L input items. The paper's code has
            none.
        partial_targets: whether to add the last windows, which have fewer than T targets. The paper's code has none.

    Returns:
        row int64 [W], the index of each window's history; sequence int64 [W, L], padded on the left;
        targets int64 [W, T], padded on the right; position int64 [W], position of the first target in the history.
    """
    lengths = tf.cast(ids.row_lengths(), tf.int64)
    # Positions of the first target in a history's first window (before L if the window is padded) and in its last.
    first_full = tf.maximum(tf.minimum(lengths - T, L), 1)
    earliest = tf.ones_like(lengths) if partial_sequences else first_full
    latest = lengths - 1 if partial_targets else tf.maximum(lengths - T, first_full)
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
    """The input of the next prediction: the last L items of each history.

    With L=3, `[[1, 2, 3, 4], [1], []]` becomes `[[2, 3, 4], [0, 0, 1], [0, 0, 0]]`.

    Args:
        ids: int64 [B, (n)], oldest first, without padding.
        L: number of input items.

    Returns:
        sequence int64 [B, L], padded on the left.
    """
    lengths = tf.cast(ids.row_lengths(), tf.int64)
    rows = tf.range(tf.size(lengths, out_type=tf.int64))
    return _take(ids, rows, lengths[:, tf.newaxis] + tf.range(-L, 0, dtype=tf.int64))


def _take(ids: tf.RaggedTensor, row: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """Items at `positions` int64 [W, P] of the histories `row` int64 [W]; 0 beyond the ends."""
    lengths = tf.gather(tf.cast(ids.row_lengths(), tf.int64), row)[:, tf.newaxis]
    starts = tf.gather(tf.cast(ids.row_starts(), tf.int64), row)[:, tf.newaxis]
    inside = (positions >= 0) & (positions < lengths)
    # One padding value at the end keeps every index valid, even without any items.
    values = tf.concat([tf.cast(ids.flat_values, tf.int64), tf.constant([PADDING], tf.int64)], axis=0)
    padding_index = tf.size(values, out_type=tf.int64) - 1
    return tf.gather(values, tf.where(inside, starts + positions, padding_index))
