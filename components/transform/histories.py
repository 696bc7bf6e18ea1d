"""Histories of ids in memory, as Transform writes them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from components.features import HISTORY, USER

_READ_BATCH = 4096


class EncodedHistories(NamedTuple):
    """Concatenated histories.

    Attributes:
        user: int32 [U] ids; UNKNOWN for users with a single interaction.
        item: int32 [n] ids, oldest first.
        start: int64 [U + 1]; the history of `user[i]` is `item[start[i] : start[i + 1]]`.
    """

    user: np.ndarray
    item: np.ndarray
    start: np.ndarray

    @classmethod
    def of(cls, user: np.ndarray, item: np.ndarray, lengths: np.ndarray) -> EncodedHistories:
        """Histories of `lengths` int [U], one after the other."""
        start = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        return cls(np.asarray(user, np.int32), np.asarray(item, np.int32), start)

    @property
    def lengths(self) -> np.ndarray:
        """Number of items of each history: int64 [U]."""
        return np.diff(self.start)

    def take(self, rows: np.ndarray) -> EncodedHistories:
        """Some of the histories, in the order of `rows` int [V]."""
        lengths = self.lengths[rows]
        start = np.concatenate([[0], np.cumsum(lengths)])
        index = np.arange(start[-1]) + np.repeat(self.start[rows] - start[:-1], lengths)
        return EncodedHistories(self.user[rows], self.item[index], start)


def concatenate(parts: list[EncodedHistories]) -> EncodedHistories:
    """All histories of several parts, in order."""
    user, item, lengths = (
        np.concatenate(column) for column in zip(*((part.user, part.item, part.lengths) for part in parts), strict=True)
    )
    return EncodedHistories.of(user, item, lengths)


def read_histories(files: list[str], feature_spec: dict[str, Any]) -> EncodedHistories:
    """Reads transformed Examples.

    Args:
        files: gzipped TFRecord files.
        feature_spec: from `TFTransformOutput.transformed_feature_spec()`.

    Returns:
        All histories, in the order of the files.
    """
    dataset = tf.data.TFRecordDataset(tf.constant(files, tf.string), compression_type="GZIP").batch(_READ_BATCH)
    users, items, lengths = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)], [np.zeros(0, np.int64)]
    for batch in dataset.map(lambda serialized: tf.io.parse_example(serialized, feature_spec)):
        users.append(batch[USER].numpy().astype(np.int32))
        items.append(batch[HISTORY].flat_values.numpy().astype(np.int32))
        lengths.append(batch[HISTORY].row_lengths().numpy())
    return EncodedHistories.of(*(np.concatenate(parts) for parts in (users, items, lengths)))
