"""The best unseen items among candidates: those of an approximate index, and the followers by the sequential rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from components.export.inverted_index import InvertedIndex
from components.features import FIRST_ID, PADDING
from components.model.caser import Caser
from components.sequential_rules.scorer import Rules, evidence_of

_PARALLEL_USERS = 4
# Candidates of the index per recommendation, at least.
_CANDIDATES_PER_RESULT = 4


class Index(NamedTuple):
    """An approximate index, how many of its lists are searched, and the recall that was measured with them."""

    lists: InvertedIndex
    probes: int
    recall: float


class IndexSearch:
    """Scores candidates instead of the whole catalogue; their scores are exact."""

    def __init__(
        self, model: Caser, rules: Rules | None, lists: InvertedIndex, k: int, candidates: tf.Tensor | None = None
    ) -> None:
        """Combines what scores items and what chooses candidates.

        Args:
            model: a trained model.
            rules: sequential rules, or None.
            lists: the lists of items.
            k: number of recommendations.
            candidates: bool [1, N], the items that may be recommended; None: all.
        """
        self._model, self._rules, self._lists, self._k = model, rules, lists, k
        self._candidates = candidates

    def best(
        self,
        representation: tf.Tensor,
        history: tf.RaggedTensor,
        seen: tf.RaggedTensor,
        probes: int | tf.Tensor,
        exact: Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]] | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The best unseen items.

        Args:
            representation: float [B, 2d], from the model.
            history: int64 [B, (n)] ids of known items, oldest first.
            seen: int64 [B, (n)] ids of items that must not be recommended.
            probes: number of lists to search.
            exact: answers for a row, int32 [], whose candidates are fewer than k; None: it gets only these.

        Returns:
            Ids int64 [B, k] and scores float [B, k], best first; PADDING and the lowest float if there are fewer.
        """
        users = self._lists.project(representation)
        nearest = self._lists.nearest(users, probes)

        def best_of(row: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            columns = self._columns(users[row], history[row], seen[row], nearest[row])
            items, scores = self._scored(representation[row], history[row : row + 1], seen[row], columns)
            if exact is None:
                return _highest(items, scores, self._k)
            return tf.cond(tf.size(items) < self._k, lambda: exact(row), lambda: _highest(items, scores, self._k))

        # A user at a time: candidates differ, and gathering the rows of many would take memory.
        return tf.map_fn(
            best_of,
            tf.range(tf.shape(representation)[0]),
            fn_output_signature=(tf.TensorSpec([self._k], tf.int64), tf.TensorSpec([self._k], tf.float32)),
            parallel_iterations=_PARALLEL_USERS,
        )

    def _columns(self, user: tf.Tensor, history: tf.Tensor, seen: tf.Tensor, lists: tf.Tensor) -> tf.Tensor:
        """Distinct item columns int64 [M]: of the index, or the most popular ones if the history is empty."""
        least = self._k + tf.size(seen)
        return tf.cond(
            tf.size(history) == 0,
            # As in `ServableCaser`: without a history, popularity decides.
            lambda: tf.range(tf.minimum(least, self._model.n_items), dtype=tf.int64),
            lambda: self._lists.candidates(user, lists, _CANDIDATES_PER_RESULT * least),
        )

    def _scored(
        self, representation: tf.Tensor, history: tf.RaggedTensor, seen: tf.Tensor, columns: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Ids int64 [M] of unseen candidates, distinct, and their scores float [M].

        Args:
            representation: float [2d].
            history: int64 [1, (n)] ids.
            seen: int64 [S] ids.
            columns: int64 [C] candidates besides the followers.
        """
        followers = [tf.zeros([0], tf.int64)]
        if self._rules:
            _, *followers, weights = self._rules.scorer.followers(history)
        # Distinct items in order of their first occurrence: the seen ones, then the followers.
        every, place = tf.unique(tf.concat([seen - FIRST_ID, *followers, columns], axis=0))
        seen_items = tf.reduce_max(tf.concat([place[: tf.size(seen)], [-1]], axis=0)) + 1
        unseen = every[seen_items:]
        scores = tf.cond(
            tf.size(history.flat_values) == 0,
            lambda: -tf.math.log(tf.cast(unseen + 1, tf.float32)),
            lambda: self._model.score_columns(representation, unseen),
        )
        if self._rules:
            of_followers = place[tf.size(seen) :][: tf.size(weights)]
            sums = tf.math.unsorted_segment_sum(weights, of_followers, tf.size(every))
            scores += self._rules.weight * evidence_of(sums, tf.reduce_sum(weights))[seen_items:]
        if self._candidates is not None:
            allowed = tf.gather(self._candidates[0], unseen)
            unseen, scores = tf.boolean_mask(unseen, allowed), tf.boolean_mask(scores, allowed)
        return unseen + FIRST_ID, scores


def _highest(items: tf.Tensor, scores: tf.Tensor, k: int) -> tuple[tf.Tensor, tf.Tensor]:
    best = tf.math.top_k(scores, tf.minimum(k, tf.size(items)))
    missing = [[0, k - tf.size(best.values)]]
    return (
        tf.pad(tf.gather(items, best.indices), missing, constant_values=PADDING),
        tf.pad(best.values, missing, constant_values=scores.dtype.min),
    )
