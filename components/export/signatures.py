"""The contract of the served signatures: names, types and shapes. Plain data, for the verification and for clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

# What TF Serving knows the model by, and the folder of its versions.
MODEL_NAME = "caser"
SERVING, SERVE_TF_EXAMPLE, SCORE, EVALUATE = (
    "serving_default",
    "serve_tf_example",
    "score",
    "evaluate",
)
# What `evaluate` returns for one user. Ranks count from 1 (best) among the items that the user has not seen.
RANKS = "ranks"  # int64 [B, H]: one per distinct held-out item, oldest first; padded with NO_RANK on the right
POPULARITY_RANKS = "popularity_ranks"  # the same, for the order of falling frequency
TOP_ITEMS = "top_items"  # int64 [B, MAX_K]: ids of the best unseen items, padded with PADDING
POPULARITY_TOP_ITEMS = "popularity_top_items"
HELD_OUT_ITEMS = "held_out_items"  # int64 [B, H]: ids that the ranks belong to; UNKNOWN, and PADDING on the right
HISTORY_LENGTH = "history_length"  # int64 [B]: known items in the history
ITEM_COUNT = "item_count"  # int64 [B]: size of the catalogue, the same in every row

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


class PredictRequests(NamedTuple):
    """Rows of `serving_default`: one user each.

    Attributes:
        user_id: B ids.
        recent_item_ids: B histories of one width, padded with "".
        exclude_item_ids: B lists of one width, padded with "".
    """

    user_id: list[str]
    recent_item_ids: list[list[str]]
    exclude_item_ids: list[list[str]]


class Predictions(NamedTuple):
    """What `serving_default` gives for B users: k items each, "" where none is left, and their scores."""

    item_ids: list[list[str]]
    scores: list[list[float]]
