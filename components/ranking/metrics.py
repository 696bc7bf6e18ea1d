"""Ranking metrics as numpy functions of ranks (definitions of the Caser authors' evaluation code).

Let r_1 < r_2 < ... be the ranks of a user's h held-out items (a miss has none):

    precision@k = |{r_i <= k}| / k                 recall@k = |{r_i <= k}| / h
    AP = sum_i (i / r_i) / h                       MAP = mean of AP over users
    NDCG@k = sum_{r_i <= k} 1 / log2(1 + r_i)  /  sum_{i <= min(k, h)} 1 / log2(1 + i)
    hit rate@k = 1 if r_1 <= k                     reciprocal rank = 1 / r_1
    coverage@k = distinct items in all top-k lists / items in the catalogue
"""

from __future__ import annotations

import numpy as np

from components.features import FIRST_ID

NO_RANK = 0  # padding, not an item
MISS = 2**31 - 1  # a held-out item that can never be recommended: unknown, or seen before
CUTOFFS = (1, 5, 10, 20)
MAX_K = max(CUTOFFS)

NEXT_ITEM = "next_item_"

# Gain by rank, 0 beyond MAX_K; and the best sum by number of items. Tables, so that equal ranks have equal bits.
_GAINS = np.concatenate([[0], 1 / np.log2(np.arange(2, MAX_K + 2)), [0]])
_IDEAL = np.cumsum(_GAINS[:-1])


def user_metrics(ranks: np.ndarray) -> dict[str, np.ndarray]:
    """Per-user metrics.

    Args:
        ranks: int [U, H]; NO_RANK is padding, MISS an item that cannot be recommended; at least one rank per user.

    Returns:
        float [U] by name: `map` (the average precision), `mrr` (the reciprocal rank), and at each of CUTOFFS
        `precision_at_k`, `recall_at_k`, `ndcg_at_k`, `hit_rate_at_k`.
    """
    held_out = (ranks != NO_RANK).sum(axis=1)
    ordered = np.sort(np.where(ranks == NO_RANK, MISS, ranks), axis=1).astype(np.float64)
    ordered[ordered >= MISS] = np.inf
    nth = np.arange(1, ranks.shape[1] + 1)
    metrics = {"map": _sum_of_rows(nth / ordered) / held_out, "mrr": 1 / ordered[:, 0]}
    gains = _GAINS[np.minimum(ordered, MAX_K + 1).astype(np.int64)]
    for k in CUTOFFS:
        hits = (ordered <= k).sum(axis=1)
        metrics[f"precision_at_{k}"] = hits / k
        metrics[f"recall_at_{k}"] = hits / held_out
        metrics[f"ndcg_at_{k}"] = _sum_of_rows(gains * (ordered <= k)) / _IDEAL[np.minimum(held_out, k)]
        metrics[f"hit_rate_at_{k}"] = (hits > 0).astype(np.float64)
    return metrics


def user_metrics_with_next(ranks: np.ndarray) -> dict[str, np.ndarray]:
    """`user_metrics`, plus `next_item_...`: the same for the first held-out item only.

    Args:
        ranks: int [U, H], oldest held-out item first.

    Returns:
        float [U] by name.
    """
    next_item = {NEXT_ITEM + name: values for name, values in user_metrics(ranks[:, :1]).items()}
    return {**user_metrics(ranks), **next_item}


def recommended(top_items: np.ndarray, k: int, n_items: int) -> np.ndarray:
    """Which items occur in a top-k list.

    Args:
        top_items: int [U, MAX_K] ids, best first, padded with 0.
        k: cutoff.
        n_items: number of items in the catalogue.

    Returns:
        bool [n_items].
    """
    is_recommended = np.zeros(n_items, bool)
    ids = top_items[:, :k].ravel()
    is_recommended[ids[ids >= FIRST_ID] - FIRST_ID] = True
    return is_recommended


def concatenate_padded(parts: list[np.ndarray]) -> np.ndarray:
    """Concatenates batches of users.

    Args:
        parts: int [U_i, H_i] each.

    Returns:
        int [sum of U_i, max of H_i], padded with 0 (NO_RANK or PADDING) on the right.
    """
    width = max(part.shape[1] for part in parts)
    return np.concatenate([np.pad(part, [(0, 0), (0, width - part.shape[1])]) for part in parts])


def coverage_name(k: int) -> str:
    """Name of the coverage at a cutoff."""
    return f"coverage_at_{k}"


def _sum_of_rows(values: np.ndarray) -> np.ndarray:
    """Sums of the rows of float [U, H], term by term: numpy's own sum depends on how many zeros follow."""
    return np.add.accumulate(values, axis=1)[:, -1]
