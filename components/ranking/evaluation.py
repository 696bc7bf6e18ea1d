"""Ranks the users of a split by a scoring function, in batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import tensorflow as tf

from components.ranking.metrics import MAX_K, concatenate_padded
from components.ranking.ranks import held_out_ranks, top_items, users_per_batch
from components.ranking.totals import all_metrics

# More users would make a choice between settings slower, not better.
_TUNING_USERS = 3000

_Settings = TypeVar("_Settings")


class HeldOutUsers(NamedTuple):
    """Users of a split.

    Attributes:
        user_id: string [U].
        history: int64 [U, (n)] ids of known items, oldest first.
        held_out: int64 [U, (h)] ids, oldest first; UNKNOWN for items outside the vocabulary.
    """

    user_id: tf.Tensor
    history: tf.RaggedTensor
    held_out: tf.RaggedTensor

    @property
    def users(self) -> int:
        """Number of users."""
        return int(self.history.nrows())

    def rows(self, rows: slice) -> HeldOutUsers:
        """Some of the users."""
        return HeldOutUsers(*(part[rows] for part in self))

    def sample(self, users: int) -> HeldOutUsers:
        """At most this many users, spread evenly over the split."""
        return self.rows(slice(None, None, -(-max(self.users, 1) // users)))


# Scores of all items for users: float [B, n_items]; column j is the item with id j + FIRST_ID.
Scorer = Callable[[HeldOutUsers], Any]


class Ranking(NamedTuple):
    """Ranks int64 [U, H] and best items int64 [U, MAX_K] of all users, see `components.ranking.ranks`."""

    ranks: np.ndarray
    top_items: np.ndarray

    def metrics(self, n_items: int) -> dict[str, float]:
        """See `all_metrics`."""
        return all_metrics(self.ranks, self.top_items, n_items)


def rank_users(scorer: Scorer, users: HeldOutUsers, n_items: int) -> Ranking:
    """Ranks the held-out items of all users among the items they have not seen.

    Args:
        scorer: scores all items.
        users: at least one user.
        n_items: number of items in the catalogue.
    """
    size = users_per_batch(n_items)
    ranks, best = [], []
    for start in range(0, users.users, size):
        batch = users.rows(slice(start, start + size))
        scores, seen = tf.convert_to_tensor(scorer(batch)), batch.history.to_tensor()
        ranks.append(held_out_ranks(scores, seen, batch.held_out.to_tensor())[0].numpy())
        best.append(top_items(scores, seen, MAX_K)[0].numpy())
    return Ranking(concatenate_padded(ranks), concatenate_padded(best))


def best_settings(
    candidates: Sequence[_Settings],
    scorer: Callable[[_Settings], Scorer],
    valid: HeldOutUsers,
    n_items: int,
    metric: str,
) -> tuple[_Settings, list[float]]:
    """Chooses between settings of a baseline on the valid split.

    Args:
        candidates: the settings.
        scorer: creates the scoring function of some settings.
        valid: the valid split; of more than 3,000 users, a sample is used.
        n_items: number of items in the catalogue.
        metric: metric that decides, higher is better.

    Returns:
        The best candidate, the first of equal ones; and the metric of each candidate.
    """
    sample = valid.sample(_TUNING_USERS)
    values = [rank_users(scorer(candidate), sample, n_items).metrics(n_items)[metric] for candidate in candidates]
    return candidates[values.index(max(values))], values
