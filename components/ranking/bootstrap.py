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


def confidence_intervals(values: np.ndarray, seed: int = 0) -> np.ndarray:
    """95 % confidence intervals of the column means.

    Args:
        values: float [U, M], one row per user, at least one.
        seed: seed of the weights.

    Returns:
        float [M, 2], lower and upper end.
    """
    rng = np.random.default_rng(seed)
    sums, counts = np.zeros([REPLICATES, values.shape[1]]), np.zeros(REPLICATES)
    for start in range(0, len(values), _CHUNK):
        part = values[start : start + _CHUNK]
        weights = rng.poisson(1.0, [REPLICATES, len(part)]).astype(np.float64)
        sums += weights @ part
        counts += weights.sum(axis=1)
    # With very few users, a replicate may be empty.
    means = sums[counts > 0] / counts[counts > 0, np.newaxis]
    return np.quantile(means, _QUANTILES, axis=0).T
