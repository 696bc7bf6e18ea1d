"""What a user had met before a window: no negatives there, since all ranking is among items that a user has not met."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.contracts import FIRST_ID
from components.training_data import Windows


class Pairs(NamedTuple):
    """Rows of a batch, and ids of real items that these rows have seen: int32 [M] each, in the order of both."""

    row: tf.Tensor
    item: tf.Tensor


class SeenItems(NamedTuple):
    """All users' histories, each item once.

    Attributes:
        items: int32 [n_users + FIRST_ID, (n)]: row u has the ids of the items of the user with id u, sorted.
        since: int32, as `items`: the place in the history where the user first met the item.
        keys: int64 [M], `_keys` of all users and items, sorted.
    """

    items: tf.RaggedTensor
    since: tf.RaggedTensor
    keys: tf.Tensor

    def before(self, user: tf.Tensor, position: tf.Tensor) -> Pairs:
        """What users had met.

        Args:
            user: int32 [B].
            position: int32 [B], places in their histories.

        Returns:
            The items met before these places.
        """
        items, since = tf.gather(self.items, user), tf.gather(self.since, user)
        row = tf.cast(items.value_rowids(), tf.int32)
        met = since.flat_values < tf.gather(position, row)
        return Pairs(tf.boolean_mask(row, met), tf.boolean_mask(items.flat_values, met))

    def had_met(self, user: tf.Tensor, position: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
        """Which of a few items users had met: without a look at the rest of their histories.

        Args:
            user: int32 [B].
            position: int32 [B], places in their histories.
            items: int32 [B, S].

        Returns:
            bool [B, S].
        """
        if self.keys.shape[0] == 0:
            return tf.zeros_like(items, tf.bool)
        wanted = _keys(user[:, tf.newaxis], items)
        place = tf.reshape(tf.searchsorted(self.keys, tf.reshape(wanted, [-1])), tf.shape(items))
        place = tf.minimum(place, self.keys.shape[0] - 1)
        since = tf.gather(self.since.flat_values, place)
        return (tf.gather(self.keys, place) == wanted) & (since < position[:, tf.newaxis])

    def from_the_start(self) -> SeenItems:
        """As if all items of a history had been met before its first window: what came later is seen then, too."""
        return self._replace(since=tf.zeros_like(self.since))


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
    return _seen(n_users, user[new], item[new], place[new])


def nothing_seen(n_users: int) -> SeenItems:
    """As `seen_items`, but nobody had met anything, so that all items compete.

    Args:
        n_users: size of the user vocabulary.
    """
    nothing = np.zeros(0, np.int32)
    return _seen(n_users, nothing, nothing, nothing)


def among(seen: Pairs, items: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Which of some items each row has seen.

    Args:
        seen: of a batch.
        items: int32 [S], the same for all rows, distinct and sorted.
        rows: int32 [], B.

    Returns:
        bool [B, S].
    """
    place = tf.minimum(tf.searchsorted(items, seen.item), tf.size(items) - 1)
    at = tf.boolean_mask(tf.stack([seen.row, place], axis=1), tf.gather(items, place) == seen.item)
    return tf.scatter_nd(at, tf.ones_like(at[:, 0], tf.bool), [rows, tf.size(items)])


def _seen(n_users: int, user: np.ndarray, item: np.ndarray, place: np.ndarray) -> SeenItems:
    lengths = np.bincount(user, minlength=n_users + FIRST_ID)
    items, since = (tf.RaggedTensor.from_row_lengths(values, lengths) for values in (item, place))
    return SeenItems(items, since, _keys(user, item))


def _keys(row: tf.Tensor, item: tf.Tensor) -> tf.Tensor:
    """One number for a row and an item, in the order of both."""
    return tf.cast(row, tf.int64) * (1 << 32) + tf.cast(item, tf.int64)
