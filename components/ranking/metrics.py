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
    metrics = {"map": (nth / ordered).sum(axis=1) / held_out, "mrr": 1 / ordered[:, 0]}
    gains = 1 / np.log2(1 + ordered)
    ideal = np.cumsum(1 / np.log2(1 + np.arange(1, max(CUTOFFS) + 1)))
    for k in CUTOFFS:
        hits = (ordered <= k).sum(axis=1)
        metrics[f"precision_at_{k}"] = hits / k
        metrics[f"recall_at_{k}"] = hits / held_out
        metrics[f"ndcg_at_{k}"] = (gains * (ordered <= k)).sum(axis=1) / ideal[np.minimum(held_out, k) - 1]
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


def all_metrics(ranks: np.ndarray, top_items: np.ndarray, n_items: int) -> dict[str, float]:
    """Means of all metrics over users, and coverage.

    Args:
        ranks: int [U, H], see `user_metrics`.
        top_items: int [U, MAX_K], see `recommended`.
        n_items: number of items in the catalogue.

    Returns:
        Values by name, with `coverage_at_k` at each of CUTOFFS.
    """
    metrics = {name: float(values.mean()) for name, values in user_metrics_with_next(ranks).items()}
    return metrics | {f"coverage_at_{k}": float(recommended(top_items, k, n_items).mean()) for k in CUTOFFS}
