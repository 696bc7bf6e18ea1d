"""preprocessing_fn: maps strings to ids.

TFX takes its import path: `Transform(..., preprocessing_fn="components.transform.preprocessing.preprocessing_fn")`.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from components.features import (
    FIRST_ID,
    HISTORY,
    ITEM_IDS,
    ITEM_VOCABULARY,
    UNKNOWN,
    USER,
    USER_ID,
    USER_VOCABULARY,
)


def preprocessing_fn(inputs: dict[str, Any]) -> dict[str, tf.Tensor | tf.RaggedTensor]:
    """Maps the strings of raw Examples to ids.

    Args:
        inputs: USER_ID string [B] (or dense [B, 1], or ragged) and ITEM_IDS string [B, (n)], oldest first.

    Returns:
        USER int64 [B] and HISTORY int64 [B, (n)]: see `components.features`.
    """
    user_ids = tf.reshape(_values(inputs[USER_ID]), [-1])
    histories = _ragged(inputs[ITEM_IDS])

    # A user without a window would keep an untrained embedding, so it is treated as unknown.
    enough = histories.row_lengths() >= 2
    users = _encode(user_ids, tf.boolean_mask(user_ids, enough), USER_VOCABULARY)
    items = histories.with_flat_values(_encode(histories.flat_values, histories.flat_values, ITEM_VOCABULARY))
    return {USER: users, HISTORY: items}


def _encode(tokens: tf.Tensor, vocabulary_of: tf.Tensor, name: str) -> tf.Tensor:
    """Ids of `tokens` in the vocabulary of `vocabulary_of`, sorted by descending frequency."""
    vocabulary = tft.vocabulary(vocabulary_of, vocab_filename=name)
    return tft.apply_vocabulary(tokens, vocabulary, default_value=UNKNOWN - FIRST_ID) + FIRST_ID


def _ragged(feature: tf.RaggedTensor | tf.SparseTensor) -> tf.RaggedTensor:
    return tf.RaggedTensor.from_sparse(feature) if isinstance(feature, tf.SparseTensor) else feature


def _values(feature: tf.Tensor | tf.RaggedTensor | tf.SparseTensor) -> tf.Tensor:
    if isinstance(feature, tf.SparseTensor):
        return feature.values
    return feature.flat_values if isinstance(feature, tf.RaggedTensor) else feature
