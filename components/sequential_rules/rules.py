"""Sequential rules: an item scores by how often, and how soon, it followed the user's most recent items.

    score(i) = sum over the most recent items h_1, h_2, ... of a user (h_1 is the last):  k ** -a * counts[h_k, i]
    counts[h, i] = sum over distances j: how often i occurred j positions after h in the training histories,
                   times j ** -b, divided by frequency(h) ** c * frequency(i) ** d

With a = b = c = d = 0 these are plain counts; with c = 1 and a window of 1, transition probabilities. Rules with a
window and distance weights: Kamehkhosh et al., "A Comparison of Frequent Pattern Techniques and a Deep Learning Method
for Session-Based Recommendation", 2017.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy import sparse

from components.sequential_rules.settings import SequentialRulesSettings

# Pairs counted at a time: about 100 MB.
MAX_PAIRS = 1 << 22
# A stored count takes 12 bytes, and adding two matrices creates a third.
_BYTES_PER_COUNT = 36
# Far below any count, but enough to order ties.
_TIE_BREAK = 1e-9


class Sequences(NamedTuple):
    """Concatenated histories, oldest item first.

    Attributes:
        item: int64 [n], item columns, from 0.
        start: int64 [U + 1]; history u is `item[start[u]:start[u + 1]]`.
    """

    item: np.ndarray
    start: np.ndarray

    def between(self, first: int, last: int) -> Sequences:
        """The histories of users `first` to `last - 1`."""
        edges = self.start[first : last + 1]
        return Sequences(self.item[edges[0] : edges[-1]], edges - edges[0])


def bytes_needed(histories: Sequences, n_items: int, settings: SequentialRulesSettings) -> int:
    """Upper bound of the memory of `count`.

    Args:
        histories: training histories.
        n_items: number of items in the catalogue.
        settings: parameters of the rules.

    Returns:
        Bytes.
    """
    return _BYTES_PER_COUNT * min(n_items**2, len(histories.item) * settings.window)


def count(histories: Sequences, n_items: int, settings: SequentialRulesSettings) -> sparse.csr_matrix:
    """Counts which items follow which.

    Args:
        histories: training histories.
        n_items: number of items in the catalogue.
        settings: window, decay and discounts.

    Returns:
        float64 [n_items, n_items]; rows are earlier items, columns later ones.
    """
    frequency = np.maximum(np.bincount(histories.item, minlength=n_items), 1).astype(np.float64)
    counts = sparse.csr_matrix((n_items, n_items))
    for part in _parts(histories, max(1, MAX_PAIRS // settings.window)):
        user = np.repeat(np.arange(len(part.start) - 1), np.diff(part.start))
        earlier, later, weight = [], [], []
        for distance in range(1, settings.window + 1):
            together = user[distance:] == user[:-distance]
            earlier.append(part.item[:-distance][together])
            later.append(part.item[distance:][together])
            weight.append(np.full(len(earlier[-1]), distance**-settings.window_decay))
        pairs = (np.concatenate(earlier), np.concatenate(later))
        counts = counts + sparse.csr_matrix((np.concatenate(weight), pairs), shape=counts.shape)
    counts.data /= np.repeat(frequency**settings.earlier_discount, np.diff(counts.indptr))
    counts.data /= frequency[counts.indices] ** settings.later_discount
    return counts


def scores(counts: sparse.csr_matrix, histories: Sequences, settings: SequentialRulesSettings) -> np.ndarray:
    """Scores of all items.

    Args:
        counts: from `count`.
        histories: histories of U users.
        settings: number of recent items and their decay.

    Returns:
        float64 [U, n_items]; ties, and users without a history, are in column order, which is that of popularity.
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
    """Consecutive histories with about `size` items in total, at least one history each."""
    first, users = 0, len(histories.start) - 1
    while first < users:
        last = max(first + 1, int(np.searchsorted(histories.start, histories.start[first] + size, "right")) - 1)
        yield histories.between(first, last)
        first = last
