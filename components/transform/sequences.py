"""Histories of many users as two numpy arrays, for counting."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.features import FIRST_ID


class Sequences(NamedTuple):
    """Concatenated histories, oldest item first.

    Attributes:
        item: int64 [n], item columns, from 0.
        start: int64 [U + 1]; history u is `item[start[u]:start[u + 1]]`.
    """

    item: np.ndarray
    start: np.ndarray

    @classmethod
    def of(cls, ids: tf.RaggedTensor) -> Sequences:
        """The histories in `ids` int64 [U, (n)], known items only."""
        return cls(ids.flat_values.numpy() - FIRST_ID, ids.row_splits.numpy())

    @property
    def users(self) -> int:
        """Number of histories."""
        return len(self.start) - 1

    def rows(self) -> np.ndarray:
        """The history each item belongs to: int64 [n]."""
        return np.repeat(np.arange(self.users), np.diff(self.start))

    def back(self) -> np.ndarray:
        """Position of each item in its history from the end: int64 [n], 1 is the last item."""
        return self.start[1:][self.rows()] - np.arange(len(self.item))

    def between(self, first: int, last: int) -> Sequences:
        """The histories of users `first` to `last - 1`."""
        edges = self.start[first : last + 1]
        return Sequences(self.item[edges[0] : edges[-1]], edges - edges[0])
