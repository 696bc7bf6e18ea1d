"""Whether an approximate index is good enough, and how many of its lists have to be searched."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from components.export.index_search import Index, IndexSearch
from components.export.inverted_index import InvertedIndex
from components.export.servable import ServableCaser
from components.features import PADDING
from components.ranking.evaluation import HeldOutUsers, Users

_log = logging.getLogger(__name__)

_MIN_RECALL, _TOP = 0.98, 100
# Of these users, every fourth one measures the recall, and the odd ones make the index.
_USERS, _MEASURED, _BATCH = 1024, 4, 16
_CANDIDATES_PER_RESULT = 8
# From one number of lists to the next one that is tried.
_GROWTH = 1.25
# Beyond this share of the catalogue, scoring all of it is as fast.
_MOST_SEARCHED = 0.1


def choose_index(servable: ServableCaser, valid: Users | None, seed: int) -> tuple[Index | None, str]:
    """Builds an index and searches as many lists as a recall of 98 % of the exact top 100 needs.

    Args:
        servable: the trained model, with its rules.
        valid: users of the valid split, or None.
        seed: seed of k-means.

    Returns:
        The index, or None where the exact path is better; and what to tell about it.
    """
    exact = "all items are scored for every request"
    if valid is None or valid.users < _MEASURED:
        lack = "no valid split" if valid is None else f"only {valid.users} user(s) in the valid split"
        return None, f"No approximate index: there is {lack} to measure its recall, so {exact}."
    servable.model.item_embedding.freeze()
    users = valid.sample(_USERS)
    # The index is not measured on the users it is made for.
    measured, others = users.rows(slice(None, None, _MEASURED)), users.rows(slice(1, None, 2))
    lists = InvertedIndex.build(servable.model, servable.representations(others).numpy(), seed)
    index = None
    for index in _measured(servable, lists, measured):
        _log.info("approximate index: recall %.4f with %d of %d lists", index.recall, index.probes, lists.lists)
        if index.recall >= _MIN_RECALL:
            of = f"{index.recall:.3f} of the exact top {_TOP} of validation users"
            return index, f"Served by an approximate index, whose recall is {of}."
    reason = "the catalogue is too small for one"
    if index:
        reason = f"its recall is {index.recall:.3f} of the exact top {_TOP}, below {_MIN_RECALL}"
    return None, f"No approximate index: {reason}, so {exact}."


def _measured(servable: ServableCaser, lists: InvertedIndex, users: HeldOutUsers) -> Iterator[Index]:
    """The index with its recall, searching more and more of its lists; nothing if even the fewest are too many."""
    batches = list(users.batches(_BATCH))
    expected = [servable.best_of_all(batch.user_id, batch.history, batch.seen)[0] for batch in batches]
    # Without the exact answers to users with few candidates: the index should seldom need them.
    search = tf.function(
        IndexSearch(servable.model, servable.rules, lists, servable.k, servable.candidates()).best,
        reduce_retracing=True,
    )
    # Some times k candidates, so that a user's seen items never leave fewer than k.
    probes = math.ceil(_CANDIDATES_PER_RESULT * servable.k * lists.lists / servable.items.size)
    while probes <= max(1, int(lists.lists * _MOST_SEARCHED)):
        found = [
            search(servable.representations(batch), batch.history, batch.seen, tf.constant(probes))[0]
            for batch in batches
        ]
        yield Index(lists, probes, recall_of(*(np.concatenate(parts)[:, :_TOP] for parts in (found, expected))))
        probes = math.ceil(probes * _GROWTH)


def recall_of(found: np.ndarray, expected: np.ndarray) -> float:
    """The mean fraction of the expected ids that were found; int [U, k], padded with 0."""
    fractions = [
        np.isin(row[row != PADDING], candidates).mean()
        for candidates, row in zip(found, expected, strict=True)
        if (row != PADDING).any()
    ]
    return float(np.mean(fractions)) if fractions else 1.0
