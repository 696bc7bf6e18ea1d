"""Reads raw Examples (one user each) in a graph."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from components.features import HOLDOUT, ITEM_IDS, USER_ID


class RawExamples(NamedTuple):
    """A batch of users: `user_id` string [B], `item_ids` and `holdout` ragged string [B, (n)], oldest first."""

    user_id: tf.Tensor
    item_ids: tf.RaggedTensor
    holdout: tf.RaggedTensor


def parse_raw_examples(serialized: tf.Tensor) -> RawExamples:
    """Parses serialized Examples; a missing feature is an empty one, so that a strange row harms no other.

    Args:
        serialized: string [B] of tf.train.Example.

    Returns:
        The batch.
    """
    features = tf.io.parse_example(
        serialized,
        {
            USER_ID: tf.io.FixedLenFeature([], tf.string, default_value=""),
            ITEM_IDS: tf.io.RaggedFeature(tf.string, row_splits_dtype=tf.int64),
            HOLDOUT: tf.io.RaggedFeature(tf.string, row_splits_dtype=tf.int64),
        },
    )
    return RawExamples(features[USER_ID], features[ITEM_IDS], features[HOLDOUT])
