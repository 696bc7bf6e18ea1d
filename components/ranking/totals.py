"""Means over users that are equal to the last bit however the users are grouped: exact sums.

Floating-point sums depend on the order of their terms, and a Beam engine chooses its own order.
"""

from __future__ import annotations

import numpy as np

from components.ranking.metrics import CUTOFFS, coverage_name, recommended, user_metrics_with_next

# Values are between 0 and 1. One of at least 2 ** -7 is a multiple of 2 ** -60; smaller ones are cut there.
_HALF = 30


class Totals:
    """Exact sums and counts of values by name, and the items that were recommended by name."""

    def __init__(self) -> None:
        """Starts with nothing."""
        self._sums: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._covered: dict[str, np.ndarray] = {}

    def add(self, name: str, values: np.ndarray) -> None:
        """Adds values of users.

        Args:
            name: of a metric.
            values: float64 [U], each between 0 and 1.
        """
        self._add(name, _exact_sum(values), len(values))

    def cover(self, name: str, items: np.ndarray) -> None:
        """Adds recommended items.

        Args:
            name: of a metric.
            items: bool [n_items].
        """
        self._covered[name] = self._covered[name] | items if name in self._covered else items

    def add_users(self, ranks: np.ndarray, top_items: np.ndarray, n_items: int, prefix: str = "") -> None:
        """Adds all metrics of users.

        Args:
            ranks: int [U, H], see `user_metrics`.
            top_items: int [U, MAX_K], see `recommended`.
            n_items: number of items in the catalogue.
            prefix: put before the names of the metrics.
        """
        for name, values in user_metrics_with_next(ranks).items():
            self.add(prefix + name, values)
        for k in CUTOFFS:
            self.cover(prefix + coverage_name(k), recommended(top_items, k, n_items))

    def merge(self, other: Totals) -> None:
        """Adds what another one has collected."""
        for name, units in other._sums.items():
            self._add(name, units, other._counts[name])
        for name, items in other._covered.items():
            self.cover(name, items)

    def count(self, name: str) -> int:
        """Number of users that have a value."""
        return self._counts.get(name, 0)

    def means(self) -> dict[str, float]:
        """Means by name, and the fractions of the catalogue that were recommended."""
        # A division of integers is rounded once, to the nearest float.
        means = {name: units / (self._counts[name] << (2 * _HALF)) for name, units in self._sums.items()}
        return means | {name: float(items.mean()) for name, items in self._covered.items()}

    def _add(self, name: str, units: int, count: int) -> None:
        self._sums[name] = self._sums.get(name, 0) + units
        self._counts[name] = self._counts.get(name, 0) + count


def _exact_sum(values: np.ndarray) -> int:
    """The sum in units of 2 ** -60."""
    scaled = np.asarray(values, np.float64) * (1 << _HALF)
    high = np.floor(scaled)
    low = np.floor((scaled - high) * (1 << _HALF))
    return (int(high.astype(np.int64).sum()) << _HALF) + int(low.astype(np.int64).sum())


def all_metrics(ranks: np.ndarray, top_items: np.ndarray, n_items: int) -> dict[str, float]:
    """Means of all metrics over users, and coverage.

    Args:
        ranks: int [U, H], see `user_metrics`.
        top_items: int [U, MAX_K], see `recommended`.
        n_items: number of items in the catalogue.

    Returns:
        Values by name, with `coverage_at_k` at each of CUTOFFS.
    """
    totals = Totals()
    totals.add_users(ranks, top_items, n_items)
    return totals.means()
