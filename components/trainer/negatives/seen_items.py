"""Items a user interacted with before a window: masked out of the negatives, as they are out of the ranking."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from components.features import FIRST_ID
from components.trainer.negatives.dense_mask import NEVER, DenseSeenMask
from components.trainer.negatives.sparse_mask import SparseSeenMask
from components.trainer.settings import TrainerSettings
from components.transform.histories import EncodedHistories

_MAX_TABLE_BYTES = 256 << 20


class SeenItems(Protocol):
    """Tells which items were seen before a window, given `user` int32 [B] and `position` int32 [B] in the history."""

    def for_catalog(self, user: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
        """Mask over the catalogue: bool [B, n_items]; column j is the item with id j + FIRST_ID."""

    def for_shared_candidates(self, user: tf.Tensor, position: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
        """Mask over candidates shared by all rows, int32 [S], distinct and sorted: bool [B, S]."""

    def for_row_candidates(self, user: tf.Tensor, position: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
        """Mask over candidates of each row, int32 [B, S]: bool [B, S]."""


class FirstInteractions(NamedTuple):
    """The first interaction of each user with each item, int32 [M] each, sorted by user and item.

    Attributes:
        user: user ids.
        item: item ids.
        position: position in the user's history, from 0.
    """

    user: np.ndarray
    item: np.ndarray
    position: np.ndarray


def seen_items(first_interactions: FirstInteractions, n_users: int, n_items: int) -> SeenItems:
    """A dense mask if it fits into 256 MiB, else a sparse one.

    Args:
        first_interactions: first interactions of all users.
        n_users: size of the user vocabulary.
        n_items: number of items in the catalogue.
    """
    bytes_ = (n_users + FIRST_ID) * n_items * np.dtype(np.uint16).itemsize
    fits = bytes_ <= _MAX_TABLE_BYTES and first_interactions.position.max(initial=0) < NEVER
    return (DenseSeenMask if fits else SparseSeenMask).of(*first_interactions, n_users, n_items)


def first_interactions(histories: EncodedHistories) -> FirstInteractions:
    """Finds the first interaction of each user with each item.

    Args:
        histories: training histories.
    """
    user = np.repeat(histories.user, histories.lengths)
    position = (np.arange(len(user)) - np.repeat(histories.start[:-1], histories.lengths)).astype(np.int32)
    order = np.lexsort((position, histories.item, user))
    user, item, position = user[order], histories.item[order], position[order]
    new = (np.diff(user, prepend=-1) != 0) | (np.diff(item, prepend=-1) != 0)
    return FirstInteractions(user[new], item[new], position[new])


def seen_items_for(
    histories: EncodedHistories, n_users: int, n_items: int, settings: TrainerSettings
) -> SeenItems | None:
    """The items to exclude from the negatives, by `exclude_from_negatives`; None if there are none.

    Args:
        histories: training histories.
        n_users: size of the user vocabulary.
        n_items: number of items in the catalogue.
        settings: settings of the Trainer.
    """
    if settings.exclude_from_negatives == "none":
        return None
    interactions = first_interactions(histories)
    if settings.exclude_from_negatives == "past_and_future":
        # As if all interactions had been at the beginning of the history.
        interactions = interactions._replace(position=np.zeros_like(interactions.position))
    return seen_items(interactions, n_users, n_items)
