"""The contract of the served signatures: names, types and shapes. Plain data, for the verification and for clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from components.features import (
    EVALUATE,
    HELD_OUT_ITEMS,
    HISTORY_LENGTH,
    ITEM_COUNT,
    POPULARITY_RANKS,
    POPULARITY_TOP_ITEMS,
    RANKS,
    SCORE,
    SERVE_TF_EXAMPLE,
    SERVING,
    TOP_ITEMS,
)

STRING, FLOAT, INT64 = "string", "float", "int64"
# Inputs and outputs of `serving_default`.
USER, RECENT, EXCLUDE = "user_id", "recent_item_ids", "exclude_item_ids"
ITEMS, SCORES = "item_ids", "scores"


class Tensor(NamedTuple):
    """Type and number of dimensions; the first one is the batch, of any size."""

    dtype: str
    dimensions: int


class Signature(NamedTuple):
    """Tensors by name."""

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]


_EXAMPLES = {"examples": Tensor(STRING, 1)}
_ANSWER = {ITEMS: Tensor(STRING, 2), SCORES: Tensor(FLOAT, 2)}
_USER_AND_HISTORY = {USER: Tensor(STRING, 1), RECENT: Tensor(STRING, 2)}

SIGNATURES = {
    SERVING: Signature({**_USER_AND_HISTORY, EXCLUDE: Tensor(STRING, 2)}, _ANSWER),
    SERVE_TF_EXAMPLE: Signature(_EXAMPLES, _ANSWER),
    SCORE: Signature(
        {**_USER_AND_HISTORY, "candidate_item_ids": Tensor(STRING, 2)}, {"probabilities": Tensor(FLOAT, 2)}
    ),
    EVALUATE: Signature(
        _EXAMPLES,
        {
            **dict.fromkeys(
                (RANKS, POPULARITY_RANKS, HELD_OUT_ITEMS, TOP_ITEMS, POPULARITY_TOP_ITEMS), Tensor(INT64, 2)
            ),
            **dict.fromkeys((HISTORY_LENGTH, ITEM_COUNT), Tensor(INT64, 1)),
        },
    ),
}
