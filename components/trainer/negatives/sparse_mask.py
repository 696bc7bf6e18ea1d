"""Seen items as sorted lists, for catalogues too large for a users x items table."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.features import FIRST_ID


class SparseSeenMask(NamedTuple):
    """A `SeenItems` backed by sorted lists.

    Attributes:
        items: int32 [n_users + FIRST_ID, (n)], sorted ids of the items of each user.
        first_position: int32, as `items`, position of the first interaction with the item in the user's history.
        keys: int64 [M], sorted `_keys` of all (user, item) pairs.
        n_items: number of items in the catalogue.
    """

    items: tf.RaggedTensor
    first_position: tf.RaggedTensor
    keys: tf.Tensor
    n_items: int

    @classmethod
    def of(cls, user: np.ndarray, item: np.ndarray, position: np.ndarray, n_users: int, n_items: int) -> SparseSeenMask:
        """Builds the lists from `FirstInteractions`."""
        lengths = np.bincount(user, minlength=n_users + FIRST_ID)
        items, first_position = (tf.RaggedTensor.from_row_lengths(values, lengths) for values in (item, position))
        return cls(items, first_position, _keys(tf.constant(user), tf.constant(item)), n_items)

    def for_catalog(self, user: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
        """See `SeenItems`."""
        row, item = self._pairs(user, position)
        return _true_at(tf.stack([row, item - FIRST_ID], axis=1), [tf.size(user), self.n_items])

    def for_shared_candidates(self, user: tf.Tensor, position: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
        """See `SeenItems`."""
        row, item = self._pairs(user, position)
        index = tf.minimum(tf.searchsorted(items, item), tf.size(items) - 1)
        pairs = tf.boolean_mask(tf.stack([row, index], axis=1), tf.gather(items, index) == item)
        return _true_at(pairs, [tf.size(user), tf.size(items)])

    def for_row_candidates(self, user: tf.Tensor, position: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
        """See `SeenItems`."""
        candidates = _keys(user[:, tf.newaxis], items)
        index = tf.reshape(tf.searchsorted(self.keys, tf.reshape(candidates, [-1])), tf.shape(items))
        index = tf.minimum(index, tf.size(self.keys) - 1)
        first_position = tf.gather(self.first_position.flat_values, index)
        return (tf.gather(self.keys, index) == candidates) & (first_position < position[:, tf.newaxis])

    def _pairs(self, user: tf.Tensor, position: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Pairs (row of the batch, seen item), int32 [M] each, sorted."""
        items, first_position = tf.gather(self.items, user), tf.gather(self.first_position, user)
        row = tf.cast(items.value_rowids(), tf.int32)
        is_seen = first_position.flat_values < tf.gather(position, row)
        return tf.boolean_mask(row, is_seen), tf.boolean_mask(items.flat_values, is_seen)


def _true_at(indices: tf.Tensor, shape: list[tf.Tensor | int]) -> tf.Tensor:
    """Bool tensor of the given shape, true at `indices` int32 [M, 2]."""
    return tf.scatter_nd(indices, tf.ones_like(indices[:, 0], tf.bool), shape)


def _keys(row: tf.Tensor, item: tf.Tensor) -> tf.Tensor:
    """One sortable number per (row, item) pair."""
    return tf.cast(row, tf.int64) * (1 << 32) + tf.cast(item, tf.int64)
