"""Users of a split of raw Examples, with item ids instead of strings."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from tfx import types
from tfx.types import artifact_utils

from components.example_gen.raw_examples import parse_raw_examples, read_split
from components.ranking.evaluation import HeldOutUsers
from components.transform.vocabulary import Vocabulary, known_items


def read_users(examples: list[types.Artifact], split: str, items: Vocabulary) -> HeldOutUsers | None:
    """Reads all users of a split.

    Args:
        examples: artifact with raw Examples.
        split: name of the split.
        items: the item vocabulary.

    Returns:
        The users, in the order of `read_split`; None if there is no such split, or if it is empty, as the valid split
        may be where all histories are short.
    """
    if split not in artifact_utils.decode_split_names(examples[0].split_names):
        return None
    serialized = read_split(artifact_utils.get_split_uri(examples, split))
    if not len(serialized):
        return None
    return encode_users(serialized, items)


def encode_users(serialized: np.ndarray, items: Vocabulary) -> HeldOutUsers:
    """Encodes users.

    Args:
        serialized: bytes [U], raw Examples.
        items: the item vocabulary.

    Returns:
        The users, in the same order.
    """
    users = parse_raw_examples(tf.constant(serialized.tolist(), tf.string))
    return HeldOutUsers(users.user_id, known_items(items.ids(users.item_ids)), items.ids(users.holdout))
