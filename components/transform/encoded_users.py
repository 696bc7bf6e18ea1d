"""Users of a split of raw Examples, with item ids instead of strings."""

from __future__ import annotations

from collections.abc import Iterator

import tensorflow as tf
from tfx import types
from tfx.types import artifact_utils

from components.example_gen.raw_examples import parse_raw_examples, read_split
from components.ranking.evaluation import HeldOutUsers
from components.ranking.recommendable import UNSEEN, Recommendable
from components.transform.vocabulary import Vocabulary, known_items

_READ_BATCH = 4096


class EncodedUsers:
    """Users of a split, read from its files whenever they are needed, so that memory does not grow with their number.

    Attributes:
        users: number of users.
    """

    def __init__(self, serialized: tf.data.Dataset, items: Vocabulary, recommendable: Recommendable = UNSEEN) -> None:
        """Counts the users.

        Args:
            serialized: raw Examples, string [].
            items: the item vocabulary.
            recommendable: which items may be recommended.
        """
        self._serialized, self._items, self._recommendable = serialized, items, recommendable
        self.users = int(serialized.reduce(tf.constant(0, tf.int64), lambda count, _: count + 1))

    def batches(self, size: int = _READ_BATCH) -> Iterator[HeldOutUsers]:
        """All users, at most `size` at a time."""
        yield from self._encoded(self._serialized, size)

    def sample(self, users: int) -> HeldOutUsers:
        """At most this many users, spread evenly over the split."""
        spread = self._serialized.shard(-(-max(self.users, 1) // users), 0)
        return next(self._encoded(spread, users))

    def _encoded(self, serialized: tf.data.Dataset, size: int) -> Iterator[HeldOutUsers]:
        for batch in serialized.batch(size).prefetch(1):
            yield encode_users(batch, self._items, self._recommendable)


def read_users(
    examples: list[types.Artifact], split: str, items: Vocabulary, recommendable: Recommendable = UNSEEN
) -> EncodedUsers | None:
    """The users of a split.

    Args:
        examples: artifact with raw Examples.
        split: name of the split.
        items: the item vocabulary.
        recommendable: which items may be recommended.

    Returns:
        The users; None if there is no such split, or if it is empty, as the valid split may be where all histories are
        short.
    """
    if split not in artifact_utils.decode_split_names(examples[0].split_names):
        return None
    users = EncodedUsers(read_split(artifact_utils.get_split_uri(examples, split)), items, recommendable)
    return users if users.users else None


def encode_users(serialized: tf.Tensor, items: Vocabulary, recommendable: Recommendable = UNSEEN) -> HeldOutUsers:
    """Encodes users.

    Args:
        serialized: string [B], raw Examples.
        items: the item vocabulary.
        recommendable: which items may be recommended.

    Returns:
        The users, in the same order.
    """
    users = parse_raw_examples(serialized)
    history, held_out = known_items(items.ids(users.item_ids)), items.ids(users.holdout)
    return HeldOutUsers(users.user_id, history, held_out, recommendable)
