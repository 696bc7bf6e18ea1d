"""Names that the nodes share: splits, fields of the Examples, vocabularies, signatures.

Raw Examples (one user each):
    USER_ID: bytes []; ITEM_IDS: bytes [n], oldest first; HOLDOUT: bytes [h], oldest first, empty in `train`.
Transformed Examples (one window each):
    USER: int64 []; SEQUENCE: int64 [L], PADDING on the left; TARGETS: int64 [T], PADDING on the right;
    POSITION: int64 []: place of the first target in the user's history, from 0.
"""

TRAIN, VALID, TEST = "train", "valid", "test"
SPLITS = (TRAIN, VALID, TEST)

USER_ID, ITEM_IDS, HOLDOUT = "user_id", "item_ids", "holdout"
USER, SEQUENCE, TARGETS, POSITION = "user", "sequence", "targets", "position"

# Integer ids: line n of a vocabulary file has id n + FIRST_ID.
PADDING, UNKNOWN, FIRST_ID = 0, 1, 2
ITEM_VOCABULARY, USER_VOCABULARY = "items", "users"

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
NO_RANK = 0  # padding, not an item
MISS = 2**31 - 1  # a held-out item that can never be recommended: unknown, or seen before
CUTOFFS = (1, 5, 10, 20)
MAX_K = max(CUTOFFS)

# Side files that ExampleGen leaves at the root of its Examples artifact.
COUNTS_FILE = "counts.json"
