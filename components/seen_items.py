"""What a user had met before a window: no negatives there, since all ranking is among items that a user has not met."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.contracts import FIRST_ID
from components.training_data import Windows


class SeenItems(NamedTuple):
    """All users' histories, each item once.

    Attributes:
        items: int32 [n_users + FIRST_ID, (n)]: row u has the ids of the items of the user with id u, sorted.
        since: int32, as `items`: the place in the history where the user first met the item.
    """

    items: tf.RaggedTensor
    since: tf.RaggedTensor

    def before(self, user: tf.Tensor, position: tf.Tensor) -> tf.RaggedTensor:
        """What users had met.

        Args:
            user: int32 [B].
            position: int32 [B], places in their histories.

        Returns:
            int32 [B, (n)], sorted ids of the items met before these places.
        """
        items, since = tf.gather(self.items, user), tf.gather(self.since, user)
        met = since.flat_values < tf.repeat(position, since.row_lengths())
        return tf.ragged.boolean_mask(items, since.with_flat_values(met))

    def from_the_start(self) -> SeenItems:
        """As if all items of a history had been met before its first window: what came later is seen then, too."""
        return SeenItems(self.items, tf.zeros_like(self.since))


def seen_items(windows: Windows, n_users: int) -> SeenItems:
    """What every user had met before their windows.

    Args:
        windows: all training windows, sorted by user and position.
        n_users: size of the user vocabulary.
    """
    L = windows.sequence.shape[1]
    T = windows.targets.shape[1]
    # A user's first window has the beginning of the history, each later one adds its newest item, and the targets of
    # the last one are the end.
    first = np.flatnonzero(np.diff(windows.user, prepend=-1))
    last = np.flatnonzero(np.diff(windows.user, append=-1))
    user = np.concatenate([np.repeat(windows.user[first], L), windows.user, np.repeat(windows.user[last], T)])
    item = np.concatenate([windows.sequence[first].ravel(), windows.sequence[:, -1], windows.targets[last].ravel()])
    beginning, end = (windows.position[first] - L)[:, np.newaxis], windows.position[last][:, np.newaxis]
    place = np.concatenate([(beginning + np.arange(L)).ravel(), windows.position - 1, (end + np.arange(T)).ravel()])
    order = np.lexsort((place, item, user))
    order = order[item[order] >= FIRST_ID]
    user, item, place = user[order], item[order], place[order].astype(np.int32)
    new = (np.diff(user, prepend=-1) != 0) | (np.diff(item, prepend=-1) != 0)
    lengths = np.bincount(user[new], minlength=n_users + FIRST_ID)
    return SeenItems(*(tf.RaggedTensor.from_row_lengths(values[new], lengths) for values in (item, place)))


def nothing_seen(n_users: int) -> SeenItems:
    """As `seen_items`, but nobody had met anything, so that all items compete.

    Args:
        n_users: size of the user vocabulary.
    """
    nothing = tf.RaggedTensor.from_row_splits(np.zeros(0, np.int32), np.zeros(n_users + FIRST_ID + 1, np.int64))
    return SeenItems(nothing, nothing)


def columns(seen: tf.RaggedTensor) -> tf.Tensor:
    """Where the scores of seen items are.

    Args:
        seen: int32 [B, (n)] ids of real items.

    Returns:
        int32 [M, 2]: row and column in scores [B, N], whose column j is the item with id j + FIRST_ID.
    """
    return tf.stack([_row(seen), seen.flat_values - FIRST_ID], axis=1)


def among_shared(seen: tf.RaggedTensor, items: tf.Tensor) -> tf.Tensor:
    """Which of some items a row has seen.

    Args:
        seen: int32 [B, (n)].
        items: int32 [S], the same for all rows, distinct and sorted.

    Returns:
        bool [B, S].
    """
    place = tf.minimum(tf.searchsorted(items, seen.flat_values), tf.size(items) - 1)
    at = tf.boolean_mask(tf.stack([_row(seen), place], axis=1), tf.gather(items, place) == seen.flat_values)
    return tf.scatter_nd(at, tf.ones_like(at[:, 0], tf.bool), [seen.nrows(tf.int32), tf.size(items)])


def among(seen: tf.RaggedTensor, items: tf.Tensor) -> tf.Tensor:
    """Which items of a row it has seen.

    Args:
        seen: int32 [B, (n)], sorted in each row.
        items: int32 [B, S].

    Returns:
        bool [B, S].
    """
    keys = tf.concat([_keys(_row(seen), seen.flat_values), [tf.int64.max]], axis=0)
    wanted = tf.reshape(_keys(tf.range(tf.shape(items)[0])[:, tf.newaxis], items), [-1])
    return tf.reshape(tf.gather(keys, tf.searchsorted(keys, wanted)) == wanted, tf.shape(items))


def _keys(row: tf.Tensor, item: tf.Tensor) -> tf.Tensor:
    """One number for a row and an item, in the order of both."""
    return tf.cast(row, tf.int64) * (1 << 32) + tf.cast(item, tf.int64)


def _row(seen: tf.RaggedTensor) -> tf.Tensor:
    return tf.cast(seen.value_rowids(), tf.int32)
