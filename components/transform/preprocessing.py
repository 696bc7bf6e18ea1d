"""preprocessing_fn: maps strings to ids and histories to windows.

TFX takes its import path: `Transform(..., preprocessing_fn="components.transform.preprocessing.preprocessing_fn")`.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from components.features import (
    FIRST_ID,
    ITEM_IDS,
    ITEM_VOCABULARY,
    POSITION,
    SEQUENCE,
    TARGETS,
    UNKNOWN,
    USER,
    USER_ID,
    USER_VOCABULARY,
)
from components.transform.settings import WindowSettings
from components.transform.windows import known_items, sliding_windows


def preprocessing_fn(inputs: dict[str, Any], custom_config: dict[str, Any]) -> dict[str, tf.Tensor]:
    """Turns raw Examples (one user each) into windows (several rows per user).

    Args:
        inputs: USER_ID string [B] (or dense [B, 1], or ragged) and ITEM_IDS string [B, (n)], oldest first.
        custom_config: `{"windows": WindowSettings as a dict}`.

    Returns:
        USER int64 [W], SEQUENCE int64 [W, L], TARGETS int64 [W, T], POSITION int64 [W]: see `components.features`.
    """
    windows = WindowSettings.model_validate(custom_config["windows"])
    user_ids = tf.reshape(_values(inputs[USER_ID]), [-1])
    histories = _ragged(inputs[ITEM_IDS])

    # A user without a window would keep an untrained embedding, so it is treated as unknown.
    enough = histories.row_lengths() >= 2
    users = _encode(user_ids, tf.boolean_mask(user_ids, enough), USER_VOCABULARY)
    items = histories.with_flat_values(_encode(histories.flat_values, histories.flat_values, ITEM_VOCABULARY))

    row, sequence, targets, position = sliding_windows(
        known_items(items), windows.L, windows.most_targets, windows.partial_sequences, windows.partial_targets
    )
    return {USER: tf.gather(users, row), SEQUENCE: sequence, TARGETS: targets, POSITION: position}


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
