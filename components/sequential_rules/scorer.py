"""Scores of sequential rules in standard TensorFlow ops, for the exported model and for the baseline alike."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from components.features import FIRST_ID
from components.sequential_rules.tables import RuleTables

# Probability that the rules give to an item without evidence. Without it, such an item could never be recommended.
FLOOR = 1e-5
# Far below the score of any evidence, but enough to order ties.
_TIE_BREAK = 1e-10


class RuleScorer(tf.Module):
    """Sequential rules as variables: a constant in the graph could not be larger than 2 GB.

    With p(i), the score of item i by `components.sequential_rules.rules` as a fraction of the sum over all items, the
    evidence for item i is log(1 + p(i) / FLOOR): the logarithm of its probability with a floor, above that of an item
    without evidence.
    """

    def __init__(self, tables: RuleTables) -> None:
        """Creates the variables.

        Args:
            tables: rules of all items.
        """
        super().__init__()
        self.n_items, self.history, self.history_decay = tables.n_items, tables.history, tables.history_decay
        self.start = tf.Variable(tables.start, trainable=False, name="rule_start")
        self.follower = tf.Variable(tables.follower, trainable=False, name="rule_follower")
        self.weight = tf.Variable(tables.weight, trainable=False, name="rule_weight")

    def evidence(self, history: tf.RaggedTensor) -> tf.Tensor:
        """Evidence for every item.

        Args:
            history: int64 [B, (n)] ids of known items, oldest first; the last `history` items are used.

        Returns:
            float [B, n_items], at least 0; column j is the item with id j + FIRST_ID.
        """
        rows = history.nrows()
        row, follower, weight = self.followers(history)
        sums = tf.math.unsorted_segment_sum(weight, row * self.n_items + follower, rows * self.n_items)
        sums = tf.reshape(sums, [rows, self.n_items])
        return evidence_of(sums, tf.reduce_sum(sums, axis=1, keepdims=True))

    def followers(self, history: tf.RaggedTensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Followers of the recent items.

        Args:
            history: as in `evidence`.

        Returns:
            row int64 [F] of the history, follower int64 [F], an item column, and weight float [F]. The weights of a
            follower that occurs several times add up.
        """
        recent = history[:, -self.history :]
        row = recent.value_rowids()
        back = tf.gather(recent.row_limits(), row) - tf.range(tf.size(row, out_type=tf.int64))
        decay = tf.cast(back, tf.float32) ** -self.history_decay
        item = recent.flat_values - FIRST_ID
        first, last = tf.gather(self.start, item), tf.gather(self.start, item + 1)
        rules = tf.ragged.range(first, last)
        source, index = rules.value_rowids(), rules.flat_values
        weight = tf.gather(self.weight, index) * tf.gather(decay, source)
        return tf.gather(row, source), tf.cast(tf.gather(self.follower, index), tf.int64), weight


class Rules(NamedTuple):
    """Sequential rules and their weight in the served scores, above 0."""

    scorer: RuleScorer
    weight: float


def evidence_of(weights: tf.Tensor, total: tf.Tensor) -> tf.Tensor:
    """Evidence for items, see `RuleScorer`.

    Args:
        weights: float, sums of the weights of each item.
        total: their sum over all items, of a shape that broadcasts.
    """
    return tf.math.log1p(tf.math.divide_no_nan(weights, FLOOR * total))


def ranking_scores(evidence: tf.Tensor) -> tf.Tensor:
    """Scores of the rules alone: ties, and users without evidence, are in order of popularity.

    Args:
        evidence: float [B, n_items], from `RuleScorer`.

    Returns:
        float [B, n_items].
    """
    return evidence - _TIE_BREAK * tf.range(tf.shape(evidence)[1], dtype=tf.float32)
