"""What a user had met before a window: no negatives there, since all ranking is among items that a user has not met."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from components.features import FIRST_ID
from components.trainer.dataset import Windows
from components.trainer.negatives.dense_mask import NEVER, DenseSeenMask
from components.trainer.negatives.sparse_mask import SparseSeenMask
from components.trainer.settings import TrainerSettings

_LARGEST_TABLE_BYTES = 256 << 20


class SeenItems(Protocol):
    """Predictions for windows, given by `user` int32 [B] and `position` int32 [B], a place in the user's history."""

    def for_catalog(self, user: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
        """Which items of the catalogue were met before: bool [B, n_items]; column j is the id j + FIRST_ID."""

    def for_shared_candidates(self, user: tf.Tensor, position: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
        """Which of the items int32 [S], distinct and sorted, were met before: bool [B, S]."""

    def for_row_candidates(self, user: tf.Tensor, position: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
        """Which of a window's own items int32 [B, S] were met before: bool [B, S]."""


class FirstInteractions(NamedTuple):
    """All users' histories, each item once, int32 [M] each, in the order of users and items.

    Attributes:
        user: ids.
        item: ids.
        place: in the user's history, where the item was first met; 0 is the beginning.
    """

    user: np.ndarray
    item: np.ndarray
    place: np.ndarray


def seen_items(first_interactions: FirstInteractions, n_users: int, n_items: int) -> SeenItems:
    """A table where it fits into 256 MiB, else lists.

    Args:
        first_interactions: of all users.
        n_users: size of the user vocabulary.
        n_items: size of the catalogue.
    """
    bytes_ = (n_users + FIRST_ID) * n_items * np.dtype(np.uint16).itemsize
    fits = bytes_ <= _LARGEST_TABLE_BYTES and first_interactions.place.max(initial=0) < NEVER
    return (DenseSeenMask if fits else SparseSeenMask).of(*first_interactions, n_users, n_items)


def first_interactions(windows: Windows) -> FirstInteractions:
    """When every user first met an item.

    Args:
        windows: all training windows, sorted by user and position.
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
    return FirstInteractions(user[new], item[new], place[new])


def seen_items_for(windows: Windows, n_users: int, n_items: int, settings: TrainerSettings) -> SeenItems | None:
    """What does not compete with targets; nothing where all items do."""
    if settings.exclude_from_negatives == "none":
        return None
    met = first_interactions(windows)
    if settings.exclude_from_negatives == "past_and_future":
        # As if a user had met everything at the beginning.
        met = met._replace(place=np.zeros_like(met.place))
    return seen_items(met, n_users, n_items)
