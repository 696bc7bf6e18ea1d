"""Confidence intervals of means over users by the Poisson bootstrap.

Each replicate weights each user with an independent Poisson(1) number, which needs one pass over the users (Chamandy et
al., "Estimating Uncertainty for Massive Data Streams", 2012). All columns share the weights, so the interval of a
difference of two columns is that of a paired bootstrap.
"""

from __future__ import annotations

import numpy as np

REPLICATES = 1000
_QUANTILES = (0.025, 0.975)
# Users at a time: bounds the memory of the weights to about 20 MB.
_CHUNK = 2048


class Bootstrap:
    """Replicates of the column means of a growing table, in memory that does not grow with it."""

    def __init__(self, seed: int = 0) -> None:
        """Starts with nothing.

        Args:
            seed: seed of the weights.
        """
        self._rng = np.random.default_rng(seed)
        self._pending: list[np.ndarray] = []
        self._sums, self._counts = np.zeros([REPLICATES, 1]), np.zeros(REPLICATES)

    def add(self, values: np.ndarray) -> None:
        """Adds users.

        Args:
            values: float [U, M], one row per user.
        """
        pending = np.concatenate([*self._pending, values])
        # Always so many at a time, so that the weights do not depend on how the users come.
        whole = len(pending) // _CHUNK * _CHUNK
        for start in range(0, whole, _CHUNK):
            self._weigh(pending[start : start + _CHUNK])
        self._pending = [pending[whole:]]

    def confidence_intervals(self) -> np.ndarray:
        """95 % confidence intervals of the column means of all users, at least one; nothing can be added afterwards.

        Returns:
            float [M, 2], lower and upper end.
        """
        for rest in self._pending:
            self._weigh(rest)
        # With very few users, a replicate may be empty.
        some = self._counts > 0
        means = self._sums[some] / self._counts[some, np.newaxis]
        return np.quantile(means, _QUANTILES, axis=0).T

    def _weigh(self, values: np.ndarray) -> None:
        weights = self._rng.poisson(1.0, [REPLICATES, len(values)]).astype(np.float64)
        self._sums = self._sums + weights @ values
        self._counts += weights.sum(axis=1)


def confidence_intervals(values: np.ndarray, seed: int = 0) -> np.ndarray:
    """95 % confidence intervals of the column means.

    Args:
        values: float [U, M], one row per user, at least one.
        seed: seed of the weights.

    Returns:
        float [M, 2], lower and upper end.
    """
    bootstrap = Bootstrap(seed)
    bootstrap.add(values)
    return bootstrap.confidence_intervals()
