"""Items that are similar to an item by the model, and items that often follow it by the sequential rules."""

from __future__ import annotations

import tensorflow as tf

from components.export.signatures import FOLLOWING_ITEMS, FOLLOWING_SCORES, ITEM, ITEMS, SCORES
from components.features import FIRST_ID, PADDING
from components.model.caser import Caser
from components.ranking.ranks import top_items
from components.ranking.recommendable import UNSEEN, Recommendable
from components.sequential_rules.scorer import RuleScorer
from components.transform.vocabulary import Vocabulary


class SimilarItems:
    """The signature `similar_items`.

    Similarity is the mean of two cosines: of input embeddings, and of output embeddings. The first are near for items
    after which the same follows, the second for items that follow the same (`benchmarks/similar_items.py`).

    Attributes:
        lengths: the variables of this object; it uses those of the model, too.
    """

    def __init__(
        self,
        model: Caser,
        items: Vocabulary,
        rules: RuleScorer | None,
        k: int,
        recommendable: Recommendable = UNSEEN,
    ) -> None:
        """Computes the inverse lengths of the embeddings.

        Args:
            model: a trained model.
            items: the item vocabulary.
            rules: sequential rules, or None.
            k: number of items.
            recommendable: which items are blocked.
        """
        self._recommendable = recommendable
        self._model, self._items, self._rules, self._k = model, items, rules, k
        inputs = model.item_embedding.table()[FIRST_ID:]
        self.lengths = [
            tf.Variable(tf.math.rsqrt(tf.reduce_sum(table * table, axis=1) + 1e-12), trainable=False, name=name)
            for name, table in (("input_length", inputs), ("output_length", model.output_embedding.value))
        ]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, ITEM)])
    def similar_items(self, item_id: tf.Tensor) -> dict[str, tf.Tensor]:
        """Similar and following items.

        Args:
            item_id: string [B].

        Returns:
            ITEMS string [B, k] and SCORES float [B, k]: the most similar items; FOLLOWING_ITEMS string [B, k] and
            FOLLOWING_SCORES float [B, k]: those with the strongest rules. Best first; "" with a score of 0 where there
            are fewer, for unknown items, and without rules.
        """
        ids = self._items.ids(item_id)
        # An item at a time bounds the memory.
        types = tf.TensorSpec([self._k], tf.int64), tf.TensorSpec([self._k], tf.float32)
        similar, scores = tf.map_fn(self._most_similar, ids, fn_output_signature=types)
        following, weights = self._following(ids)
        return {
            ITEMS: self._items.tokens(similar),
            SCORES: scores,
            FOLLOWING_ITEMS: self._items.tokens(following),
            FOLLOWING_SCORES: weights,
        }

    def _most_similar(self, item: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        candidates = self._recommendable.candidates(self._items.size)
        ids, scores = top_items(self._similarities(item), item[tf.newaxis, tf.newaxis], self._k, candidates)
        ids = tf.where(item >= FIRST_ID, ids[0], PADDING)
        return ids, tf.where(ids >= FIRST_ID, scores[0], 0.0)

    def _similarities(self, item: tf.Tensor) -> tf.Tensor:
        """Of an item to all items, float [1, n_items]."""
        column = tf.maximum(item - FIRST_ID, 0)
        inputs, outputs = self._model.item_embedding.table(), self._model.output_embedding.value
        products = (
            tf.linalg.matvec(inputs, inputs[column + FIRST_ID])[FIRST_ID:],
            tf.linalg.matvec(outputs, outputs[column]),
        )
        cosines = [product * lengths * lengths[column] for product, lengths in zip(products, self.lengths, strict=True)]
        return tf.add_n(cosines)[tf.newaxis] / 2

    def _following(self, items: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Ids int64 [B, k] and weights of the rules float [B, k]."""
        if self._rules is None:
            shape = [tf.shape(items)[0], self._k]
            return tf.fill(shape, tf.constant(PADDING, tf.int64)), tf.zeros(shape)
        columns = tf.maximum(items - FIRST_ID, 0)
        first, last = (tf.gather(self._rules.start, at) for at in (columns, columns + 1))
        # Followers are stored by descending weight.
        rules = tf.ragged.range(first, tf.where(items >= FIRST_ID, last, first))
        candidates = self._recommendable.candidates(self._items.size)
        if candidates is not None:
            follower = tf.gather(self._rules.follower, rules.flat_values)
            rules = tf.ragged.boolean_mask(rules, rules.with_flat_values(tf.gather(candidates[0], follower)))
        rules = rules[:, : self._k]
        followers = tf.cast(tf.gather(self._rules.follower, rules.flat_values), tf.int64) + FIRST_ID
        weights = tf.gather(self._rules.weight, rules.flat_values)
        return (
            rules.with_flat_values(followers).to_tensor(PADDING, shape=[None, self._k]),
            rules.with_flat_values(weights).to_tensor(0.0, shape=[None, self._k]),
        )
