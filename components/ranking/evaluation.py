"""Ranks the users of a split by a scoring function, in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import tensorflow as tf

from components.ranking.metrics import MAX_K, concatenate_padded
from components.ranking.ranks import held_out_ranks, top_items, users_per_batch
from components.ranking.recommendable import UNSEEN, Recommendable
from components.ranking.totals import Totals

# More users would make a choice between settings slower, not better.
_TUNING_USERS = 3000

_Settings = TypeVar("_Settings")


class HeldOutUsers(NamedTuple):
    """Users of a split.

    Attributes:
        user_id: string [U].
        history: int64 [U, (n)] ids of known items, oldest first.
        held_out: int64 [U, (h)] ids, oldest first; UNKNOWN for items outside the vocabulary.
        recommendable: which items may be recommended.
    """

    user_id: tf.Tensor
    history: tf.RaggedTensor
    held_out: tf.RaggedTensor
    recommendable: Recommendable = UNSEEN

    @property
    def users(self) -> int:
        """Number of users."""
        return int(self.history.nrows())

    @property
    def seen(self) -> tf.RaggedTensor:
        """Items that must not be recommended: int64 [U, (s)] ids."""
        return self.recommendable.seen(self.history)

    def rows(self, rows: slice) -> HeldOutUsers:
        """Some of the users."""
        return HeldOutUsers(self.user_id[rows], self.history[rows], self.held_out[rows], self.recommendable)

    def batches(self, size: int) -> Iterator[HeldOutUsers]:
        """See `Users`."""
        for start in range(0, self.users, size):
            yield self.rows(slice(start, start + size))

    def sample(self, users: int) -> HeldOutUsers:
        """See `Users`."""
        return self.rows(slice(None, None, -(-max(self.users, 1) // users)))


class Users(Protocol):
    """Users in memory or in files."""

    @property
    def users(self) -> int:
        """Number of users."""

    def batches(self, size: int) -> Iterator[HeldOutUsers]:
        """All users, at most `size` at a time."""

    def sample(self, users: int) -> HeldOutUsers:
        """At most this many users, spread evenly."""


# Scores of all items for users: float [B, n_items]; column j is the item with id j + FIRST_ID.
Scorer = Callable[[HeldOutUsers], Any]


class Ranking(NamedTuple):
    """Ranks int64 [U, H] and best items int64 [U, MAX_K] of users, see `components.ranking.ranks`."""

    ranks: np.ndarray
    top_items: np.ndarray

    @classmethod
    def concatenate(cls, parts: Sequence[Ranking]) -> Ranking:
        """The rankings of several groups of users, at least one."""
        return cls(*(concatenate_padded(list(columns)) for columns in zip(*parts, strict=True)))


def rank_users(scorer: Scorer, users: Users, n_items: int) -> Iterator[Ranking]:
    """Ranks the held-out items of all users among the items that may be recommended, some users at a time.

    Args:
        scorer: scores all items.
        users: the users.
        n_items: number of items in the catalogue.
    """
    for batch in users.batches(users_per_batch(n_items)):
        scores, seen = tf.convert_to_tensor(scorer(batch)), batch.seen.to_tensor()
        candidates = batch.recommendable.candidates(n_items)
        ranks, _ = held_out_ranks(scores, seen, batch.held_out.to_tensor(), candidates)
        yield Ranking(ranks.numpy(), top_items(scores, seen, MAX_K, candidates)[0].numpy())


def evaluate_users(scorer: Scorer, users: Users, n_items: int) -> dict[str, float]:
    """All metrics over users, see `components.ranking.totals`.

    Args:
        scorer: scores all items.
        users: at least one user.
        n_items: number of items in the catalogue.
    """
    totals = Totals()
    for ranking in rank_users(scorer, users, n_items):
        totals.add_users(*ranking, n_items)
    return totals.means()


def best_settings(
    candidates: Sequence[_Settings],
    scorer: Callable[[_Settings], Scorer],
    valid: Users,
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
    values = [evaluate_users(scorer(candidate), sample, n_items)[metric] for candidate in candidates]
    return candidates[values.index(max(values))], values
