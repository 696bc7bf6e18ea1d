"""What each user took: a user's own items are no negatives for them, whenever they took them.

An item that a user took at another moment says nothing against itself, and what was taken before the moment is not
asked for: all ranking is among items that the user has not seen. The paper's authors draw their negatives so too.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from components.contracts import FIRST_ID
from components.training_data import Windows

# Windows are gone through in parts of about so many, so that little is in memory at a time.
_WINDOWS_AT_ONCE = 1 << 20


def own_items(windows: Windows, n_users: int) -> tf.RaggedTensor:
    """Every user's distinct items.

    Args:
        windows: all training windows, sorted by user.
        n_users: size of the user vocabulary.

    Returns:
        int32 [n_users + FIRST_ID, (n)]: row u has the items of the user with id u in order of their ids.
    """
    parts = -(-len(windows.user) // _WINDOWS_AT_ONCE)
    # Cut where a user ends, so that no user is in two parts.
    cuts = np.searchsorted(windows.user, windows.user[np.arange(1, parts) * _WINDOWS_AT_ONCE])
    pairs = [_distinct(*part) for part in zip(*(np.split(array, cuts) for array in windows), strict=True)]
    user, item = (np.concatenate(column) for column in zip(*pairs, strict=True))
    return tf.RaggedTensor.from_row_lengths(item, np.bincount(user, minlength=n_users + FIRST_ID))


def nobodys_items(n_users: int) -> tf.RaggedTensor:
    """As `own_items`, but nobody took any, so that all items compete.

    Args:
        n_users: size of the user vocabulary.
    """
    return tf.RaggedTensor.from_row_splits(np.zeros(0, np.int32), np.zeros(n_users + FIRST_ID + 1, np.int64))


def columns(own: tf.RaggedTensor) -> tf.Tensor:
    """Where the scores of own items are.

    Args:
        own: int32 [B, (n)] ids of real items.

    Returns:
        int32 [M, 2]: row and column in scores [B, N], whose column j is the item with id j + FIRST_ID.
    """
    return tf.stack([_row(own), own.flat_values - FIRST_ID], axis=1)


def among_shared(own: tf.RaggedTensor, items: tf.Tensor) -> tf.Tensor:
    """Which of some items are a row's own.

    Args:
        own: int32 [B, (n)].
        items: int32 [S], the same for all rows, distinct and sorted.

    Returns:
        bool [B, S].
    """
    place = tf.minimum(tf.searchsorted(items, own.flat_values), tf.size(items) - 1)
    at = tf.boolean_mask(tf.stack([_row(own), place], axis=1), tf.gather(items, place) == own.flat_values)
    return tf.scatter_nd(at, tf.ones_like(at[:, 0], tf.bool), [own.nrows(tf.int32), tf.size(items)])


def among(own: tf.RaggedTensor, items: tf.Tensor) -> tf.Tensor:
    """Which items of a row are its own.

    Args:
        own: int32 [B, (n)], sorted in each row.
        items: int32 [B, S].

    Returns:
        bool [B, S].
    """
    keys = tf.concat([_keys(_row(own), own.flat_values), [tf.int64.max]], axis=0)
    wanted = tf.reshape(_keys(tf.range(tf.shape(items)[0])[:, tf.newaxis], items), [-1])
    return tf.reshape(tf.gather(keys, tf.searchsorted(keys, wanted)) == wanted, tf.shape(items))


def _keys(row: tf.Tensor, item: tf.Tensor) -> tf.Tensor:
    """One number for a row and an item, in the order of both."""
    return tf.cast(row, tf.int64) * (1 << 32) + tf.cast(item, tf.int64)


def _row(own: tf.RaggedTensor) -> tf.Tensor:
    return tf.cast(own.value_rowids(), tf.int32)


def _distinct(user: np.ndarray, sequence: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct pairs of user and real item, sorted, out of windows."""
    items = np.concatenate([sequence, targets], axis=1)
    keys = (user.astype(np.int64)[:, np.newaxis] << 32 | items)[items >= FIRST_ID]
    pairs = np.unique(keys)
    return pairs >> 32, pairs.astype(np.int32)
