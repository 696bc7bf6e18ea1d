"""What users had met, as one table of all users and items: a look-up costs next to nothing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.features import FIRST_ID

NEVER = int(np.iinfo(np.uint16).max)  # also the first place that the table cannot hold


class DenseSeenMask(NamedTuple):
    """See `components.trainer.negatives.seen_items.SeenItems`.

    Attributes:
        since: uint16 [n_users + FIRST_ID, n_items]: the place in a user's history where an item was first met, or
            `NEVER`. Column j is the item with id j + FIRST_ID.
    """

    since: tf.Tensor

    @classmethod
    def of(cls, user: np.ndarray, item: np.ndarray, place: np.ndarray, n_users: int, n_items: int) -> DenseSeenMask:
        """See `components.trainer.negatives.seen_items.FirstInteractions`."""
        since = np.full([n_users + FIRST_ID, n_items], NEVER, np.uint16)
        since[user, item - FIRST_ID] = place
        return cls(tf.constant(since))

    def for_catalog(self, user: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
        """See `SeenItems`."""
        return tf.gather(self.since, user) < _two_bytes(position)

    def for_shared_candidates(self, user: tf.Tensor, position: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
        """See `SeenItems`."""
        return self.for_row_candidates(user, position, tf.tile(items[tf.newaxis], [tf.size(user), 1]))

    def for_row_candidates(self, user: tf.Tensor, position: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
        """See `SeenItems`."""
        row = tf.cast(user, tf.int64)[:, tf.newaxis] * self.since.shape[1]
        since = tf.gather(tf.reshape(self.since, [-1]), row + tf.cast(items - FIRST_ID, tf.int64))
        return since < _two_bytes(position)


def _two_bytes(position: tf.Tensor) -> tf.Tensor:
    """As `DenseSeenMask.since`, [B, 1]; beyond what two bytes hold, every place in the table is an earlier one."""
    return tf.cast(tf.minimum(position, NEVER), tf.uint16)[:, tf.newaxis]
