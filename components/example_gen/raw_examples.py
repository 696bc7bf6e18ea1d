"""Raw Examples, one user each: serialize, read, parse."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from components.features import CANDIDATE_ITEM_IDS, EXCLUDE_ITEM_IDS, HOLDOUT, ITEM_IDS, USER_ID

_LISTS = (ITEM_IDS, HOLDOUT, EXCLUDE_ITEM_IDS, CANDIDATE_ITEM_IDS)


class RawExamples(NamedTuple):
    """A batch of users: `user_id` string [B]; all others ragged string [B, (n)], see `components.features`."""

    user_id: tf.Tensor
    item_ids: tf.RaggedTensor
    holdout: tf.RaggedTensor
    exclude: tf.RaggedTensor
    candidates: tf.RaggedTensor


def parse_raw_examples(serialized: tf.Tensor) -> RawExamples:
    """Parses serialized Examples; missing features are empty, so that a malformed row affects no other.

    Args:
        serialized: string [B] of tf.train.Example.

    Returns:
        The batch.
    """
    features = tf.io.parse_example(
        serialized,
        {
            USER_ID: tf.io.FixedLenFeature([], tf.string, default_value=""),
            **{name: tf.io.RaggedFeature(tf.string, row_splits_dtype=tf.int64) for name in _LISTS},
        },
    )
    return RawExamples(*(features[name] for name in (USER_ID, *_LISTS)))


def serialize_example(user: bytes, items: list[bytes], holdout: list[bytes]) -> bytes:
    """One user's Example.

    Args:
        user: user id.
        items: item ids, oldest first.
        holdout: ids of the held-out items, oldest first.

    Returns:
        A serialized tf.train.Example; equal for equal arguments.
    """
    features = {USER_ID: [user], ITEM_IDS: items, HOLDOUT: holdout}
    return tf.train.Example(
        features=tf.train.Features(
            feature={
                name: tf.train.Feature(bytes_list=tf.train.BytesList(value=values)) for name, values in features.items()
            }
        )
    ).SerializeToString(deterministic=True)


def read_split(uri: str) -> tf.data.Dataset:
    """Reads a split; how Beam split the work does not change it.

    Args:
        uri: directory of the split, with gzipped TFRecord files.

    Returns:
        Serialized raw Examples, string [], in the order of the files.
    """
    files = sorted(tf.io.gfile.glob(f"{uri}/*"))
    return tf.data.TFRecordDataset(tf.constant(files, tf.string), compression_type="GZIP")
