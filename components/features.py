"""Names shared by the nodes: splits, features of the Examples, special ids, vocabularies.

Raw Examples (one user each):
    USER_ID: bytes []; ITEM_IDS: bytes [n], oldest first; HOLDOUT: bytes [h], oldest first, empty in `train`;
    In requests only: EXCLUDE_ITEM_IDS: bytes [e], further items that must not be recommended; CANDIDATE_ITEM_IDS: bytes
    [c], the only items that may be recommended, all items if empty.
Transformed Examples (one user of `train`, or of `all`, each):
    USER: int64 []; HISTORY: int64 [n] ids of items, oldest first.
"""

TRAIN, VALID, TEST = "train", "valid", "test"
SPLITS = (TRAIN, VALID, TEST)
# Complete histories, held-out items included; only for a refit and for drift checks.
ALL = "all"

USER_ID, ITEM_IDS, HOLDOUT = "user_id", "item_ids", "holdout"
EXCLUDE_ITEM_IDS, CANDIDATE_ITEM_IDS = "exclude_item_ids", "candidate_item_ids"
USER, HISTORY = "user", "history"

# Integer ids: line n of a vocabulary file has id n + FIRST_ID.
PADDING, UNKNOWN, FIRST_ID = 0, 1, 2
ITEM_VOCABULARY, USER_VOCABULARY = "items", "users"

# What `str.strip` removes: blanks around ids mean nothing in files, requests and commands alike.
BLANKS = "".join(character for character in map(chr, range(0x3001)) if character.isspace())
