"""Sequence and time aware neighbourhood (STAN) on user histories, without its decay over calendar time.

    w(i)     = exp(-k / history_decay) if i is the k-th most recent of the user's items, from 0, and k < history; else 0
    sim(n)   = sum of w(i) over the distinct items i of history n, divided by sqrt(its number of distinct items)
    score(i) = sum over the `neighbours` histories n with the highest similarity that contain i:
               sim(n) * exp(-|p_n(i) - p_n| / distance_decay), all times log(1 + users / users with i) ** idf
    p_n(i)   = rank of the last occurrence of i in n;  p_n = that of the shared item with the highest w

Garg et al., "Sequence and Time Aware Neighborhood for Session-based Recommendations", SIGIR 2019; the weight by inverse
document frequency is that of VS-KNN (Ludewig and Jannach, UMUAI 2018).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from components.neighbours.settings import NeighboursSettings
from components.transform.sequences import Sequences

# Elements of the arrays held at a time: about 100 MB.
MAX_ELEMENTS = 1 << 21
# A training interaction is held as item, user and weight.
_BYTES_PER_INTERACTION = 24
# Far below any score, but enough to order ties.
_TIE_BREAK = 1e-12


class Neighbourhood(NamedTuple):
    """Training histories, ready to be searched.

    Attributes:
        histories: training histories; a repeated item is kept at its last position only.
        by_item: float64 [n_items, U], 1 / sqrt(items of the history) where the history contains the item.
        idf: float64 [n_items], log(1 + users / users with the item).
    """

    histories: Sequences
    by_item: sparse.csr_matrix
    idf: np.ndarray

    @classmethod
    def of(cls, histories: Sequences, n_items: int) -> Neighbourhood:
        """Indexes the training histories.

        Args:
            histories: training histories.
            n_items: number of items in the catalogue.
        """
        users = histories.users
        user, item = histories.rows(), histories.item
        _, from_the_end = np.unique((user * n_items + item)[::-1], return_index=True)
        kept = np.sort(len(user) - 1 - from_the_end)
        user, item = user[kept], item[kept]
        lengths = np.bincount(user, minlength=users)
        by_item = sparse.csr_matrix((lengths[user] ** -0.5, (item, user)), shape=(n_items, users))
        frequency = np.maximum(np.bincount(item, minlength=n_items), 1)
        return cls(Sequences(item, np.concatenate([[0], np.cumsum(lengths)])), by_item, np.log1p(users / frequency))


def bytes_needed(histories: Sequences) -> int:
    """Memory of the neighbourhood.

    Args:
        histories: training histories.

    Returns:
        Bytes.
    """
    return _BYTES_PER_INTERACTION * len(histories.item)


def scores(neighbourhood: Neighbourhood, histories: Sequences, settings: NeighboursSettings) -> np.ndarray:
    """Scores of all items.

    Args:
        neighbourhood: the training histories.
        histories: histories of U users.
        settings: number of neighbours and decays.

    Returns:
        float64 [U, n_items]; ties are in column order, which is that of popularity.
    """
    n_items, users = neighbourhood.by_item.shape
    size = max(1, MAX_ELEMENTS // max(users, n_items))
    parts = [
        _scores(neighbourhood, histories.between(start, min(start + size, histories.users)), settings)
        for start in range(0, histories.users, size)
    ]
    return np.concatenate([np.zeros([0, n_items]), *parts]) - _TIE_BREAK * np.arange(n_items)


def _scores(neighbourhood: Neighbourhood, histories: Sequences, settings: NeighboursSettings) -> np.ndarray:
    n_items, users = neighbourhood.by_item.shape
    recency = _recency(histories, n_items, settings)
    similarity = (recency @ neighbourhood.by_item).toarray()
    k = min(settings.neighbours, users)
    nearest = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
    row, place = np.nonzero(np.take_along_axis(similarity, nearest, axis=1))
    neighbour = nearest[row, place]
    result, dense = np.zeros([histories.users, n_items]), recency.toarray()
    lengths = np.diff(neighbourhood.histories.start)[neighbour]
    # Pairs of user and neighbour, as many at a time as their items fit into memory.
    for pairs in np.split(np.arange(len(row)), np.flatnonzero(np.diff(np.cumsum(lengths) // MAX_ELEMENTS)) + 1):
        if len(pairs):
            weights = similarity[row[pairs], neighbour[pairs]]
            _add(result, neighbourhood.histories, dense, row[pairs], neighbour[pairs], weights, settings.distance_decay)
    return result * neighbourhood.idf**settings.idf


def _recency(histories: Sequences, n_items: int, settings: NeighboursSettings) -> sparse.csr_matrix:
    """w: float64 [U, n_items]; of a repeated item, the most recent weight."""
    weights = np.zeros([histories.users, n_items])
    back = histories.back()
    newest = back <= settings.history
    weight = np.exp(-(back[newest] - 1) / settings.history_decay)
    np.maximum.at(weights, (histories.rows()[newest], histories.item[newest]), weight)
    return sparse.csr_matrix(weights)


def _add(
    result: np.ndarray,
    histories: Sequences,
    recency: np.ndarray,
    row: np.ndarray,
    neighbour: np.ndarray,
    similarity: np.ndarray,
    distance_decay: float,
) -> None:
    """Adds the items of neighbours to the scores; `row`, `neighbour` and `similarity` have one entry per pair."""
    first = histories.start[neighbour]
    lengths = histories.start[neighbour + 1] - first
    begin = np.cumsum(lengths) - lengths
    pair = np.repeat(np.arange(len(row)), lengths)
    position = np.arange(len(pair)) - begin[pair]
    item = histories.item[first[pair] + position]
    shared = recency[row[pair], item]
    best = np.maximum.reduceat(shared, begin)
    # Distinct items have distinct weights, so exactly one item of a neighbour is the best.
    anchor = position[shared == best[pair]]
    weight = similarity[pair] * np.exp(-np.abs(position - anchor[pair]) / distance_decay)
    np.add.at(result, (row[pair], item), weight)
