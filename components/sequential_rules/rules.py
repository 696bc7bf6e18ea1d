"""Sequential rules: an item scores by how often, and how soon, it followed the user's most recent items.

    score(i) = sum over the most recent items h_1, h_2, ... of a user (h_1 is the last):  k ** -a * counts[h_k, i]
    counts[h, i] = sum over distances j: how often i occurred j positions after h in the training histories,
                   times j ** -b, divided by frequency(h) ** c * frequency(i) ** d

With a = b = c = d = 0 these are plain counts; with c = 1 and a window of 1, transition probabilities. Rules with a
window and distance weights: Kamehkhosh et al., "A Comparison of Frequent Pattern Techniques and a Deep Learning Method
for Session-Based Recommendation", 2017.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
from scipy import sparse

from components.sequential_rules.settings import SequentialRulesSettings
from components.transform.sequences import Sequences

# Pairs found at a time: about 100 MB.
MAX_PAIRS = 1 << 22
# A stored count takes 12 bytes, and adding two matrices creates a third.
_BYTES_PER_COUNT = 36
# Far below any count, but enough to order ties.
_TIE_BREAK = 1e-9


def bytes_needed(frequency: np.ndarray, settings: SequentialRulesSettings) -> np.ndarray:
    """Upper bound of the memory that the counts of each earlier item take in `count`.

    Args:
        frequency: int64 [n_items], number of training interactions with each item.
        settings: parameters of the rules.

    Returns:
        int64 [n_items], bytes.
    """
    return _BYTES_PER_COUNT * np.minimum(frequency * settings.window, len(frequency))


def blocks(frequency: np.ndarray, settings: SequentialRulesSettings) -> list[range]:
    """Consecutive items whose counts fit in `settings.max_memory_gb`, at least one item each.

    Args:
        frequency: int64 [n_items], number of training interactions with each item.
        settings: parameters of the rules.
    """
    needed = np.concatenate([[0], np.cumsum(bytes_needed(frequency, settings))])
    edges = [0]
    while edges[-1] < len(frequency):
        fits = np.searchsorted(needed, needed[edges[-1]] + settings.max_memory_gb * 1e9, "right") - 1
        edges.append(max(edges[-1] + 1, int(fits)))
    return [range(first, last) for first, last in itertools.pairwise(edges)]


def count(
    histories: Iterable[Sequences], n_items: int, settings: SequentialRulesSettings, block: range | None = None
) -> sparse.csr_matrix:
    """Counts which items follow which, without discounts.

    Args:
        histories: training histories, some users at a time.
        n_items: number of items in the catalogue.
        settings: window and its decay.
        block: consecutive earlier items to count; None: all.

    Returns:
        float64 [len(block), n_items]; rows are earlier items, columns later ones.
    """
    block = block or range(n_items)
    counts = sparse.csr_matrix((len(block), n_items))
    size = max(1, MAX_PAIRS // settings.window)
    for part in itertools.chain.from_iterable(_parts(users, size) for users in histories):
        user = part.rows()
        in_block = (part.item >= block.start) & (part.item < block.stop)
        earlier, later, weight = [], [], []
        for distance in range(1, settings.window + 1):
            together = (user[distance:] == user[:-distance]) & in_block[:-distance]
            earlier.append(part.item[:-distance][together] - block.start)
            later.append(part.item[distance:][together])
            weight.append(np.full(len(earlier[-1]), distance**-settings.window_decay))
        pairs = (np.concatenate(earlier), np.concatenate(later))
        counts = counts + sparse.csr_matrix((np.concatenate(weight), pairs), shape=counts.shape)
    return counts


def discount(
    counts: sparse.csr_matrix, frequency: np.ndarray, settings: SequentialRulesSettings, block: range | None = None
) -> sparse.csr_matrix:
    """Divides counts by powers of the frequency of both items.

    Args:
        counts: from `count`.
        frequency: int64 [n_items], number of training interactions with each item.
        settings: both discounts.
        block: the earlier items that were counted; None: all.

    Returns:
        The discounted counts, of the same shape.
    """
    frequency = np.maximum(frequency, 1).astype(np.float64)
    earlier = frequency[block.start : block.stop] if block else frequency
    discounted = counts.copy()
    discounted.data /= np.repeat(earlier**settings.earlier_discount, np.diff(counts.indptr))
    discounted.data /= frequency[counts.indices] ** settings.later_discount
    return discounted


def scores(counts: sparse.csr_matrix, histories: Sequences, settings: SequentialRulesSettings) -> np.ndarray:
    """Scores of all items.

    Args:
        counts: from `discount`.
        histories: histories of U users.
        settings: number of recent items and their decay.

    Returns:
        float64 [U, n_items]; ties, and users without a history, are in column order, which is that of popularity.
    """
    user, back = histories.rows(), histories.back()
    newest = back <= settings.history
    weights = sparse.csr_matrix(
        (back[newest] ** -settings.history_decay, (user[newest], histories.item[newest])),
        shape=(histories.users, counts.shape[0]),
    )
    return (weights @ counts).toarray() - _TIE_BREAK * np.arange(counts.shape[1])


def _parts(histories: Sequences, size: int) -> Iterator[Sequences]:
    """Consecutive histories with about `size` items in total, at least one history each."""
    first = 0
    while first < histories.users:
        last = max(first + 1, int(np.searchsorted(histories.start, histories.start[first] + size, "right")) - 1)
        yield histories.between(first, last)
        first = last
