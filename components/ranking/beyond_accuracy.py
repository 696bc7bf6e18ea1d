"""What top-k lists are like, apart from hits: novelty, popularity and concentration.

Over all recommendations (u, i) of the top-k lists, with the interactions of the train split:

    novelty@k = mean of -log2(users with i / users)
    average popularity@k = mean number of interactions with i
    Gini@k = sum_j (2 j - n - 1) x_j / (n sum_j x_j)

where x_1 <= ... <= x_n are the numbers of lists that each of the n items is in. Novelty is the mean self-information
(Castells, Vargas and Wang, 2011), in RecTools the mean inverse user frequency; average popularity is the ARP of Yin et
al. (PVLDB 2012) and Abdollahpouri et al. (2019); the Gini index of exposure is that of Fleder and Hosanagar (2009).
Gini is 0 if all items are recommended equally often, and near 1 if all lists are the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from components.features import FIRST_ID

K = 10
NOVELTY, AVERAGE_POPULARITY, GINI = f"novelty_at_{K}", f"average_popularity_at_{K}", f"gini_at_{K}"


class Popularity(NamedTuple):
    """Interactions of the train split by item, int64 [n_items], and its users.

    Attributes:
        users: number of users.
        of_users: users with the item.
        of_interactions: interactions with the item.
    """

    users: int
    of_users: np.ndarray
    of_interactions: np.ndarray

    @classmethod
    def of(cls, histories: Iterable[tuple[np.ndarray, np.ndarray]], n_items: int) -> Popularity:
        """Counts.

        Args:
            histories: batches of users: row of the user and item column, from 0, of each interaction, int [n] each.
            n_items: number of items in the catalogue.
        """
        users, of_users, of_interactions = 0, np.zeros(n_items, np.int64), np.zeros(n_items, np.int64)
        for row, column in histories:
            of_interactions += np.bincount(column, minlength=n_items)
            distinct = np.unique(row.astype(np.int64) * n_items + column)
            of_users += np.bincount(distinct % n_items, minlength=n_items)
            users += len(np.unique(distinct // n_items))
        return cls(users, of_users, of_interactions)


class Exposure:
    """How often each item is in a top-k list."""

    def __init__(self, n_items: int) -> None:
        """Starts with no lists.

        Args:
            n_items: number of items in the catalogue.
        """
        self._lists = np.zeros(n_items, np.int64)

    def add(self, top_items: np.ndarray) -> None:
        """Adds lists.

        Args:
            top_items: int [U, at least k] ids, best first, padded with 0.
        """
        ids = top_items[:, :K].ravel()
        self._lists += np.bincount(ids[ids >= FIRST_ID] - FIRST_ID, minlength=len(self._lists))

    def metrics(self, popularity: Popularity) -> dict[str, float]:
        """The metrics by name; items that nobody interacted with count as if one user had.

        Args:
            popularity: of the train split.
        """
        total = int(self._lists.sum())
        if not total:
            return {}
        information = -np.log2(np.maximum(popularity.of_users, 1) / max(popularity.users, 1))
        ordered, n = np.sort(self._lists), len(self._lists)
        weights = 2 * np.arange(1, n + 1) - n - 1
        return {
            NOVELTY: float(self._lists @ information) / total,
            AVERAGE_POPULARITY: float(self._lists @ popularity.of_interactions) / total,
            GINI: float(weights @ ordered) / (n * total),
        }
