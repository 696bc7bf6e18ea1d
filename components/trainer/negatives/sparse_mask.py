"""What users had met, as one sorted list: where a table of all users and items would be too large."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.features import FIRST_ID


class SparseSeenMask(NamedTuple):
    """See `components.trainer.negatives.seen_items.SeenItems`.

    Attributes:
        items: int32 [n_users + FIRST_ID, (n)]: row u has the ids of the items of the user with id u, sorted.
        since: int32, as `items`: the place in the history where the user first met the item.
        keys: int64 [M], `_keys` of all users and items, sorted.
        n_items: size of the catalogue.
    """

    items: tf.RaggedTensor
    since: tf.RaggedTensor
    keys: tf.Tensor
    n_items: int

    @classmethod
    def of(cls, user: np.ndarray, item: np.ndarray, place: np.ndarray, n_users: int, n_items: int) -> SparseSeenMask:
        """See `components.trainer.negatives.seen_items.FirstInteractions`."""
        lengths = np.bincount(user, minlength=n_users + FIRST_ID)
        items, since = (tf.RaggedTensor.from_row_lengths(values, lengths) for values in (item, place))
        return cls(items, since, _keys(tf.constant(user), tf.constant(item)), n_items)

    def for_catalog(self, user: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
        """See `SeenItems`."""
        row, item = self._pairs(user, position)
        return _at(tf.stack([row, item - FIRST_ID], axis=1), [tf.size(user), self.n_items])

    def for_shared_candidates(self, user: tf.Tensor, position: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
        """See `SeenItems`."""
        row, item = self._pairs(user, position)
        place = tf.minimum(tf.searchsorted(items, item), tf.size(items) - 1)
        pairs = tf.boolean_mask(tf.stack([row, place], axis=1), tf.gather(items, place) == item)
        return _at(pairs, [tf.size(user), tf.size(items)])

    def for_row_candidates(self, user: tf.Tensor, position: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
        """See `SeenItems`: without a look at the rest of the histories."""
        wanted = _keys(user[:, tf.newaxis], items)
        place = tf.reshape(tf.searchsorted(self.keys, tf.reshape(wanted, [-1])), tf.shape(items))
        place = tf.minimum(place, self.keys.shape[0] - 1)
        since = tf.gather(self.since.flat_values, place)
        return (tf.gather(self.keys, place) == wanted) & (since < position[:, tf.newaxis])

    def _pairs(self, user: tf.Tensor, position: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Rows of a batch, and ids of items that these rows had met: int32 [M] each, in the order of both."""
        items, since = tf.gather(self.items, user), tf.gather(self.since, user)
        row = tf.cast(items.value_rowids(), tf.int32)
        met = since.flat_values < tf.gather(position, row)
        return tf.boolean_mask(row, met), tf.boolean_mask(items.flat_values, met)


def _at(places: tf.Tensor, shape: list[tf.Tensor | int]) -> tf.Tensor:
    """Bool of a shape, true at int32 [M, 2]."""
    return tf.scatter_nd(places, tf.ones_like(places[:, 0], tf.bool), shape)


def _keys(row: tf.Tensor, item: tf.Tensor) -> tf.Tensor:
    """One number for a row and an item, in the order of both."""
    return tf.cast(row, tf.int64) * (1 << 32) + tf.cast(item, tf.int64)
