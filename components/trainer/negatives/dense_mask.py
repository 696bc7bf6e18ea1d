"""Seen items as a users x items table, for small catalogues: constant-time lookup."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.features import FIRST_ID

NEVER = int(np.iinfo(np.uint16).max)  # also the first position that uint16 cannot hold


class DenseSeenMask(NamedTuple):
    """A `SeenItems` backed by a dense table.

    Attributes:
        first_position: uint16 [n_users + FIRST_ID, n_items], position of the first interaction with the item in the
            user's history, or `NEVER`. Column j is the item with id j + FIRST_ID.
    """

    first_position: tf.Tensor

    @classmethod
    def of(cls, user: np.ndarray, item: np.ndarray, position: np.ndarray, n_users: int, n_items: int) -> DenseSeenMask:
        """Builds the table from `FirstInteractions`."""
        first_position = np.full([n_users + FIRST_ID, n_items], NEVER, np.uint16)
        first_position[user, item - FIRST_ID] = position
        return cls(tf.constant(first_position))

    def for_catalog(self, user: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
        """See `SeenItems`."""
        return tf.gather(self.first_position, user) < _uint16(position)

    def for_shared_candidates(self, user: tf.Tensor, position: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
        """See `SeenItems`."""
        return self.for_row_candidates(user, position, tf.tile(items[tf.newaxis], [tf.size(user), 1]))

    def for_row_candidates(self, user: tf.Tensor, position: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
        """See `SeenItems`."""
        row = tf.cast(user, tf.int64)[:, tf.newaxis] * self.first_position.shape[1]
        first_position = tf.gather(tf.reshape(self.first_position, [-1]), row + tf.cast(items - FIRST_ID, tf.int64))
        return first_position < _uint16(position)


def _uint16(position: tf.Tensor) -> tf.Tensor:
    """Positions as uint16 [B, 1]; beyond its range, every position in the table is an earlier one."""
    return tf.cast(tf.minimum(position, NEVER), tf.uint16)[:, tf.newaxis]
