"""Which items may be recommended."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.features import FIRST_ID


class Recommendable(NamedTuple):
    """Which items may be recommended, in training, evaluation, baselines and the served model.

    Attributes:
        exclude_seen: whether items of the history are not recommended.
        blocked: int64 [n] ids of items that are never recommended; None: no such items.
    """

    exclude_seen: bool = True
    blocked: np.ndarray | None = None

    def seen(self, history: tf.RaggedTensor) -> tf.RaggedTensor:
        """Items of histories that must not be recommended.

        Args:
            history: int64 [B, (n)] ids.
        """
        return history if self.exclude_seen else history[:, :0]

    def candidates(self, n_items: int) -> tf.Tensor | None:
        """The items that are not blocked: bool [1, n_items]; None: all.

        Args:
            n_items: number of items in the catalogue.
        """
        if self.blocked is None:
            return None
        allowed = tf.ones([n_items], tf.bool)
        columns = tf.constant(self.blocked[:, np.newaxis] - FIRST_ID)
        return tf.tensor_scatter_nd_update(allowed, columns, tf.zeros([len(self.blocked)], tf.bool))[tf.newaxis]


# The default: seen items are not recommended, all others may be.
UNSEEN = Recommendable()
