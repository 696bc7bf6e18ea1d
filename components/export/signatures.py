"""Names, types and shapes of the signatures, as plain data for verification and clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from components.features import CANDIDATE_ITEM_IDS, EXCLUDE_ITEM_IDS

# Name of the model in TF Serving, and of the directory of its versions.
MODEL_NAME = "caser"
# The version label that clients ask for unless told otherwise.
STABLE = "stable"
SERVING, SERVE_TF_EXAMPLE, RECOMMEND_AMONG = "serving_default", "serve_tf_example", "recommend_among"
SCORE, EVALUATE, SIMILAR_ITEMS = "score", "evaluate", "similar_items"
# Outputs of `evaluate`. Ranks count from 1 (best) among the items the user has not seen.
RANKS = "ranks"  # int64 [B, H]: one per distinct held-out item, oldest first; padded with NO_RANK on the right
TOP_ITEMS = "top_items"  # int64 [B, MAX_K]: ids of the best unseen items, padded with PADDING
# Both are given for what is served (no prefix) and for each of its parts. Without rules in the model, the outputs of
# sequential rules have width 0. Popularity is the order of descending frequency.
CASER, SEQUENTIAL_RULES, POPULARITY = "caser_", "sequential_rules_", "popularity_"
PARTS = ("", CASER, SEQUENTIAL_RULES, POPULARITY)
HELD_OUT_ITEMS = "held_out_items"  # int64 [B, H]: ids the ranks belong to; UNKNOWN, and PADDING on the right
HISTORY_LENGTH = "history_length"  # int64 [B]: number of known items in the history
ITEM_COUNT = "item_count"  # int64 [B]: number of items in the catalogue

STRING, FLOAT, INT64 = "string", "float", "int64"
# Inputs and outputs of `serving_default`.
USER, RECENT, EXCLUDE = "user_id", "recent_item_ids", EXCLUDE_ITEM_IDS
ITEMS, SCORES = "item_ids", "scores"
# Input and further outputs of `similar_items`: the items that follow the item by the sequential rules.
ITEM, FOLLOWING_ITEMS, FOLLOWING_SCORES = "item_id", "following_item_ids", "following_scores"


class Tensor(NamedTuple):
    """Type and number of dimensions of a tensor; the first dimension is the batch."""

    dtype: str
    dimensions: int


class Signature(NamedTuple):
    """Input and output tensors by name."""

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]


_EXAMPLES = {"examples": Tensor(STRING, 1)}
_RECOMMENDATIONS = {ITEMS: Tensor(STRING, 2), SCORES: Tensor(FLOAT, 2)}
_USER_AND_HISTORY = {USER: Tensor(STRING, 1), RECENT: Tensor(STRING, 2)}

SIGNATURES = {
    SERVING: Signature({**_USER_AND_HISTORY, EXCLUDE: Tensor(STRING, 2)}, _RECOMMENDATIONS),
    SERVE_TF_EXAMPLE: Signature(_EXAMPLES, _RECOMMENDATIONS),
    RECOMMEND_AMONG: Signature({**_USER_AND_HISTORY, CANDIDATE_ITEM_IDS: Tensor(STRING, 2)}, _RECOMMENDATIONS),
    SCORE: Signature({**_USER_AND_HISTORY, CANDIDATE_ITEM_IDS: Tensor(STRING, 2)}, {"probabilities": Tensor(FLOAT, 2)}),
    SIMILAR_ITEMS: Signature(
        {ITEM: Tensor(STRING, 1)},
        {**_RECOMMENDATIONS, FOLLOWING_ITEMS: Tensor(STRING, 2), FOLLOWING_SCORES: Tensor(FLOAT, 2)},
    ),
    EVALUATE: Signature(
        _EXAMPLES,
        {
            **{part + output: Tensor(INT64, 2) for part in PARTS for output in (RANKS, TOP_ITEMS)},
            HELD_OUT_ITEMS: Tensor(INT64, 2),
            **dict.fromkeys((HISTORY_LENGTH, ITEM_COUNT), Tensor(INT64, 1)),
        },
    ),
}


def decoded(values: np.ndarray) -> list[Any]:
    """Nested lists of an output, bytes as text.

    Args:
        values: bytes or float [B, k].
    """
    rows = values.tolist()
    return [[text.decode() for text in row] for row in rows] if values.dtype == object else rows


class PredictRequests(NamedTuple):
    """Inputs of `serving_default` for B users.

    Attributes:
        user_id: B user ids.
        recent_item_ids: B histories of equal width, padded with "".
        exclude_item_ids: B lists of equal width, padded with "".
    """

    user_id: list[str]
    recent_item_ids: list[list[str]]
    exclude_item_ids: list[list[str]]


class Predictions(NamedTuple):
    """Outputs of `serving_default` for B users: k item ids each ("" if fewer are left) and their scores."""

    item_ids: list[list[str]]
    scores: list[list[float]]

    @classmethod
    def from_arrays(cls, item_ids: np.ndarray, scores: np.ndarray) -> Predictions:
        """Decodes outputs of the model.

        Args:
            item_ids: bytes [B, k].
            scores: float [B, k].
        """
        return cls(decoded(item_ids), decoded(scores))


class SimilarPredictions(NamedTuple):
    """Outputs of `similar_items` for B items: k similar and k following items each, "" if there are fewer."""

    similar: Predictions
    following: Predictions
