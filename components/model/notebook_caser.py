"""The notebook variant of Caser, from which this project descends; it scores one candidate item.

Unlike the paper it has a single filter height, no activation on the convolutions, and no output bias.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from components.features import PADDING


def notebook_caser(
    feature_columns: Sequence[dict[str, Any]],
    maxlen: int = 40,
    hor_n: int = 2,
    hor_h: int = 8,
    ver_n: int = 8,
    dropout: float = 0.5,
    activation: str = "relu",
    embed_reg: float = 1e-6,
) -> keras.Model:
    """Builds the model.

    With E the maxlen x d image of the embedded sequence, p the user embedding and w the output embedding of the item:

        o = max over time of conv(E, height h = min(hor_h, maxlen));  v = flatten(conv(E transposed, width 1))
        z = dropout(activation(W [o, v] + b));  probability = sigmoid([z, p] . w)

    Args:
        feature_columns: `{"feat": "user_id" or "item_id", "feat_num": size of the table, "embed_dim": d}`, one of
            each. Ids are below `feat_num`; item 0 is padding and embeds as zeros in the sequence.
        maxlen: number of input items.
        hor_n: number of horizontal filters.
        hor_h: height of the horizontal filters.
        ver_n: number of vertical filters.
        dropout: dropout rate of z.
        activation: activation of the fully connected layer.
        embed_reg: L2 regularization factor of the embeddings.

    Returns:
        A model of (user int [B, 1], sequence int [B, maxlen], item int [B, 1]) that gives probabilities float [B, 1].

    Raises:
        ValueError: an argument is out of range.
    """
    users, items = _column(feature_columns, "user_id"), _column(feature_columns, "item_id")
    d = items["embed_dim"]
    if users["embed_dim"] != d:
        raise ValueError(f"`embed_dim` should be the same for users and items. Received: {users['embed_dim']} and {d}")
    for name, value in (("maxlen", maxlen), ("hor_n", hor_n), ("hor_h", hor_h), ("ver_n", ver_n)):
        if value < 1:
            raise ValueError(f"`{name}` should be at least 1. Received: {name}={value}")

    def embedding(size: int, dim: int, name: str) -> keras.layers.Embedding:
        return keras.layers.Embedding(
            size, dim, "random_normal", embeddings_regularizer=keras.regularizers.L2(embed_reg), name=name
        )

    user = keras.Input((1,), dtype="int32", name="user")
    sequence = keras.Input((maxlen,), dtype="int32", name="sequence")
    item = keras.Input((1,), dtype="int32", name="item")

    image = embedding(items["feat_num"], d, "item_embedding")(sequence)
    image = image * ops.expand_dims(ops.cast(ops.not_equal(sequence, PADDING), image.dtype), -1)
    horizontal = keras.layers.Conv1D(hor_n, min(hor_h, maxlen), name="horizontal_convolution")(image)
    vertical = keras.layers.Conv1D(ver_n, 1, name="vertical_convolution")(ops.transpose(image, (0, 2, 1)))
    features = ops.concatenate([ops.max(horizontal, axis=1), ops.reshape(vertical, (-1, d * ver_n))], axis=-1)
    z = keras.layers.Dense(d, activation, name="dense")(features)
    z = keras.layers.Dropout(dropout, name="dropout")(z)

    user_vector = ops.squeeze(embedding(users["feat_num"], d, "user_embedding")(user), 1)
    state = ops.concatenate([z, user_vector], axis=-1)
    weights = ops.squeeze(embedding(items["feat_num"], 2 * d, "output_embedding")(item), 1)
    probability = ops.sigmoid(ops.sum(state * weights, axis=-1, keepdims=True))
    return keras.Model((user, sequence, item), probability, name="notebook_caser")


def _column(feature_columns: Sequence[dict[str, Any]], feat: str) -> dict[str, Any]:
    matches = [column for column in feature_columns if column.get("feat") == feat]
    if len(matches) != 1 or not {"feat_num", "embed_dim"} <= matches[0].keys():
        raise ValueError(
            f"`feature_columns` should hold one {feat!r} with `feat_num` and `embed_dim`. Received: {feature_columns}"
        )
    return matches[0]
