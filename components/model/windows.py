"""Sliding windows over histories: all of them for training, the last one for serving.

A window has L input items and the next T items as targets (section 3.1 of the paper). Training and serving both use
`items_at`, so they cannot differ.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.features import PADDING


class WindowRanges(NamedTuple):
    """Where the windows of histories are.

    Attributes:
        first: int64 [U], position of the first target in a history's first window, from 0.
        windows: int64 [U], number of windows; each begins one position after the previous one.
    """

    first: np.ndarray
    windows: np.ndarray


def window_ranges(lengths: np.ndarray, L: int, T: int, partial_sequences: bool, partial_targets: bool) -> WindowRanges:
    """All windows of histories.

    With L=3 and T=2, the history `1 2 3 4 5 6` has the windows

        sequence   targets
        0 0 1      2 3      if `partial_sequences`
        0 1 2      3 4      if `partial_sequences`
        1 2 3      4 5
        2 3 4      5 6
        3 4 5      6 0      if `partial_targets`

    A history of at least two but fewer than L+T items has one window whatever the arguments, padded with 0: its last
    T items are the targets, but the first item is always an input.

        history    sequence   targets
        1 2 3 4    0 0 1      2 3      if `partial_sequences`
                   0 1 2      3 4
                   1 2 3      4 0      if `partial_targets`
        1 2        0 0 1      2 0
        1          (none)

    Args:
        lengths: int64 [U], number of items of each history.
        L: number of input items.
        T: number of target items.
        partial_sequences: whether to add the first windows, which have fewer than L input items. The paper's code has
            none.
        partial_targets: whether to add the last windows, which have fewer than T targets. The paper's code has none.

    Returns:
        The windows of each history.
    """
    # The first window without padding, if there is one.
    first_full = np.maximum(np.minimum(lengths - T, L), 1)
    first = np.ones_like(lengths) if partial_sequences else first_full
    last = lengths - 1 if partial_targets else np.maximum(lengths - T, first_full)
    return WindowRanges(first, np.where(lengths < 2, 0, last - first + 1))


def last_window(ids: tf.RaggedTensor, L: int) -> tf.Tensor:
    """The input of the next prediction: the last L items of each history.

    With L=3, `[[1, 2, 3, 4], [1], []]` becomes `[[2, 3, 4], [0, 0, 1], [0, 0, 0]]`.

    Args:
        ids: int64 [B, (n)], oldest first, without padding.
        L: number of input items.

    Returns:
        sequence int64 [B, L], padded on the left.
    """
    start, length = (tf.cast(part, tf.int64) for part in (ids.row_starts(), ids.row_lengths()))
    # One item at the end keeps every index valid, even without any items.
    items = tf.concat([tf.cast(ids.flat_values, tf.int64), tf.constant([PADDING], tf.int64)], axis=0)
    return items_at(items, start, length, length[:, tf.newaxis] + tf.range(-L, 0, dtype=tf.int64))


def items_at(items: tf.Tensor, start: tf.Tensor, length: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """Items of histories, by position.

    Args:
        items: int [n + 1], concatenated histories, and one more item of any value.
        start: int64 [B], index of each history's first item.
        length: int64 [B], number of items of each history.
        positions: int64 [B, P], positions in the histories, from 0.

    Returns:
        int [B, P], of the type of `items`; PADDING beyond both ends.
    """
    inside = (positions >= 0) & (positions < length[:, tf.newaxis])
    index = tf.where(inside, start[:, tf.newaxis] + positions, 0)
    return tf.where(inside, tf.gather(items, index), PADDING)
