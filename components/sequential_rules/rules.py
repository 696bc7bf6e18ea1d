"""The counting baseline: an item scores by how often, and how soon, it followed the items that a user met last.

    score(i) = sum over the newest items h_1, h_2, ... of a user, h_1 the newest:  k ** -a * counts[h_k, i]
    counts[h, i] = sum over distances j: how often i stood j places behind h in the training histories, times j ** -b,
                   divided by frequency(h) ** c * frequency(i) ** d

With a, b, c and d zero these are plain counts; with c = 1 and a window of one, transition probabilities. Nothing is
learned, so whatever learns should do better.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy import sparse

from components.sequential_rules.settings import SequentialRulesSettings

# Pairs that are counted at a time: some 100 MB.
_PAIRS_AT_ONCE = 1 << 22
# A stored count takes 12 bytes, and a sum of two matrices lies beside both.
_BYTES_PER_COUNT = 36
# Far below any count, yet enough to order items that are otherwise equal.
_TIE_BREAK = 1e-9


class Sequences(NamedTuple):
    """Histories one after the other, oldest item first.

    Attributes:
        item: int64 [n], columns of items, from 0.
        start: int64 [U + 1]; history u is `item[start[u]:start[u + 1]]`.
    """

    item: np.ndarray
    start: np.ndarray

    def between(self, first: int, last: int) -> Sequences:
        """The histories of the users `first` to `last - 1`."""
        edges = self.start[first : last + 1]
        return Sequences(self.item[edges[0] : edges[-1]], edges - edges[0])


def bytes_needed(histories: Sequences, n_items: int, settings: SequentialRulesSettings) -> int:
    """An upper bound of the memory that `count` takes.

    Args:
        histories: of training.
        n_items: size of the catalogue.
        settings: the window.

    Returns:
        Bytes.
    """
    return _BYTES_PER_COUNT * min(n_items**2, len(histories.item) * settings.window)


def count(histories: Sequences, n_items: int, settings: SequentialRulesSettings) -> sparse.csr_matrix:
    """Counts which items follow which.

    Args:
        histories: of training.
        n_items: size of the catalogue.
        settings: the window, its decay, and the discounts.

    Returns:
        float64 [n_items, n_items], the earlier item's row and the later one's column.
    """
    frequency = np.maximum(np.bincount(histories.item, minlength=n_items), 1).astype(np.float64)
    counts = sparse.csr_matrix((n_items, n_items))
    for part in _parts(histories, max(1, _PAIRS_AT_ONCE // settings.window)):
        user = np.repeat(np.arange(len(part.start) - 1), np.diff(part.start))
        earlier, later, weight = [], [], []
        for distance in range(1, settings.window + 1):
            together = user[distance:] == user[:-distance]
            earlier.append(part.item[:-distance][together])
            later.append(part.item[distance:][together])
            weight.append(np.full(len(earlier[-1]), distance**-settings.window_decay))
        places = (np.concatenate(earlier), np.concatenate(later))
        counts = counts + sparse.csr_matrix((np.concatenate(weight), places), shape=counts.shape)
    counts.data /= np.repeat(frequency**settings.earlier_discount, np.diff(counts.indptr))
    counts.data /= frequency[counts.indices] ** settings.later_discount
    return counts


def scores(counts: sparse.csr_matrix, histories: Sequences, settings: SequentialRulesSettings) -> np.ndarray:
    """Scores of all items.

    Args:
        counts: from `count`.
        histories: of the users who are asked about, U of them.
        settings: how far a history is looked back at, and its decay.

    Returns:
        float64 [U, n_items]; equal counts, and users without a history, are in the order of the columns, which is
        that of popularity.
    """
    lengths = np.diff(histories.start)
    user = np.repeat(np.arange(len(lengths)), lengths)
    back = histories.start[1:][user] - np.arange(len(user))
    newest = back <= settings.history
    weights = sparse.csr_matrix(
        (back[newest] ** -settings.history_decay, (user[newest], histories.item[newest])),
        shape=(len(lengths), counts.shape[0]),
    )
    return (weights @ counts).toarray() - _TIE_BREAK * np.arange(counts.shape[1])


def _parts(histories: Sequences, size: int) -> Iterator[Sequences]:
    """Consecutive histories of about `size` items together, at least one history at a time."""
    first, users = 0, len(histories.start) - 1
    while first < users:
        last = max(first + 1, int(np.searchsorted(histories.start, histories.start[first] + size, "right")) - 1)
        yield histories.between(first, last)
        first = last
