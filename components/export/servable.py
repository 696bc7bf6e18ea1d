"""ServableCaser: Caser and sequential rules with their vocabularies, from strings to strings, in standard ops."""

from __future__ import annotations

import tensorflow as tf

from components.example_gen.raw_examples import parse_raw_examples
from components.export.chunked import map_in_chunks
from components.export.index_search import Index, IndexSearch
from components.export.padding import refuse_padded_items
from components.export.signatures import (
    CASER,
    HELD_OUT_ITEMS,
    HISTORY_LENGTH,
    ITEM_COUNT,
    ITEMS,
    PARTS,
    POPULARITY,
    RANKS,
    SCORES,
    SEQUENTIAL_RULES,
    TOP_ITEMS,
)
from components.features import FIRST_ID, PADDING
from components.model.caser import Caser
from components.model.windows import last_window
from components.ranking.evaluation import HeldOutUsers
from components.ranking.metrics import MAX_K
from components.ranking.ranks import held_out_ranks, top_items, users_per_batch
from components.ranking.recommendable import UNSEEN, Recommendable
from components.sequential_rules.scorer import Rules, ranking_scores
from components.transform.vocabulary import Vocabulary, known_items

_RANKED = (*(part + output for part in PARTS for output in (RANKS, TOP_ITEMS)), HELD_OUT_ITEMS)


class ServableCaser(tf.Module):
    """The signatures that TF Serving and TFMA call. Seen items are never recommended, unless that is wanted.

    The served score is log-linear in both parts: Caser's score + weight * evidence of the sequential rules. With a
    softmax loss it is the logarithm of (probability by Caser) * (probability by the rules, with a floor) ** weight, up
    to a constant.
    """

    def __init__(
        self,
        model: Caser,
        items: Vocabulary,
        users: Vocabulary,
        k: int,
        loss: str,
        rules: Rules | None = None,
        index: Index | None = None,
        recommendable: Recommendable = UNSEEN,
    ) -> None:
        """Combines model, vocabularies and rules.

        Args:
            model: a trained model.
            items: the item vocabulary.
            users: the user vocabulary.
            k: number of recommendations per request.
            loss: the training loss; decides how scores become probabilities.
            rules: sequential rules; None: Caser alone is served.
            index: chooses the items that `recommend` scores; None: it scores all of them.
            recommendable: which items may be recommended.
        """
        super().__init__()
        self.model, self.items, self.users = model, items, users
        self.k = min(k, items.size)
        self.loss, self.rules, self.index = loss, rules, index
        self.recommendable = recommendable

    def with_parts(self, rules: Rules | None, index: Index | None = None) -> ServableCaser:
        """The same model with other rules and another index."""
        return ServableCaser(self.model, self.items, self.users, self.k, self.loss, rules, index, self.recommendable)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, "user_id"),
            tf.TensorSpec([None, None], tf.string, "recent_item_ids"),
            tf.TensorSpec([None, None], tf.string, "exclude_item_ids"),
        ]
    )
    def recommend(
        self, user_id: tf.Tensor, recent_item_ids: tf.Tensor, exclude_item_ids: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Signature `serving_default`.

        Args:
            user_id: string [B]; unknown users get a shared embedding.
            recent_item_ids: string [B, any], oldest first, padded with "" on either side; unknown items are ignored; an
                empty history falls back to popularity.
            exclude_item_ids: string [B, any], padded with ""; never recommended, like the recent items unless
                these may be recommended again.

        Returns:
            `item_ids` string [B, k] and `scores` float [B, k], best first; "" and the lowest float if fewer than k
            items are left.

        Raises:
            tf.errors.InvalidArgumentError: a server may have padded a list with one of its items, see
                `components.export.padding`.
        """
        refuse_padded_items(recent_item_ids, exclude_item_ids)
        ids, scores = self._best(user_id, self._history(recent_item_ids), self._history(exclude_item_ids))
        return {ITEMS: self.items.tokens(ids), SCORES: scores}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def recommend_for_examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Signature `serve_tf_example`: `recommend` for serialized raw Examples.

        Args:
            examples: string [B]; `holdout` is ignored, `exclude_item_ids` are never recommended, and if there are
                `candidate_item_ids`, nothing else is.

        Returns:
            The same as `recommend`.
        """
        users = parse_raw_examples(examples)
        history, exclude = (known_items(self.items.ids(items)) for items in (users.item_ids, users.exclude))
        candidates = self.items.ids(users.candidates)
        ids, scores = tf.cond(
            tf.size(candidates.flat_values) > 0,
            lambda: self._best_among(users.user_id, history, exclude, candidates),
            lambda: self._best(users.user_id, history, exclude),
        )
        return {ITEMS: self.items.tokens(ids), SCORES: scores}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, "user_id"),
            tf.TensorSpec([None, None], tf.string, "recent_item_ids"),
            tf.TensorSpec([None, None], tf.string, "candidate_item_ids"),
        ]
    )
    def recommend_among(
        self, user_id: tf.Tensor, recent_item_ids: tf.Tensor, candidate_item_ids: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Signature `recommend_among`: like `recommend`, but of given candidates only.

        Args:
            user_id: string [B].
            recent_item_ids: string [B, any], as in `recommend`.
            candidate_item_ids: string [B, any], padded with "": the only items that may be recommended; unknown ones
                are ignored, and a row without any gets no recommendations.

        Returns:
            The same as `recommend`.
        """
        refuse_padded_items(recent_item_ids, candidate_item_ids)
        history, candidates = self._history(recent_item_ids), self.items.ids(candidate_item_ids)
        # One entry more, that no item is, so that no row stands for all items.
        candidates = tf.RaggedTensor.from_tensor(
            tf.pad(candidates, [[0, 0], [1, 0]], constant_values=PADDING), row_splits_dtype=tf.int64
        )
        ids, scores = self._best_among(user_id, history, history[:, :0], candidates)
        return {ITEMS: self.items.tokens(ids), SCORES: scores}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, "user_id"),
            tf.TensorSpec([None, None], tf.string, "recent_item_ids"),
            tf.TensorSpec([None, None], tf.string, "candidate_item_ids"),
        ]
    )
    def score(
        self, user_id: tf.Tensor, recent_item_ids: tf.Tensor, candidate_item_ids: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Signature `score`: probabilities of given candidates.

        Args:
            user_id: string [B].
            recent_item_ids: string [B, any], as in `recommend`.
            candidate_item_ids: string [B, C].

        Returns:
            `probabilities` float [B, C]: of being the next item (softmax losses) or one of the next items (bce), by the
            served scores; 0 for unknown candidates.
        """
        refuse_padded_items(recent_item_ids)
        candidates = self.items.ids(candidate_item_ids)
        scores = self.scores(user_id, self._history(recent_item_ids))
        probabilities = tf.nn.softmax(scores) if self.loss != "bce" else tf.sigmoid(scores)
        known = tf.gather(probabilities, tf.maximum(candidates - FIRST_ID, 0), batch_dims=1)
        return {"probabilities": tf.where(candidates >= FIRST_ID, known, tf.zeros_like(known))}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def evaluate(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Signature `evaluate`: inputs of the metrics (see `components.export.signatures`).

        Args:
            examples: string [B], serialized raw Examples with held-out items.

        Returns:
            For each of PARTS, RANKS int64 [B, H] and TOP_ITEMS int64 [B, MAX_K]; HELD_OUT_ITEMS int64 [B, H];
            HISTORY_LENGTH, ITEM_COUNT int64 [B].
        """
        users = parse_raw_examples(examples)
        history = known_items(self.items.ids(users.item_ids))
        held_out = self.items.ids(users.holdout).to_tensor()

        def rank_chunk(first: tf.Tensor, last: tf.Tensor) -> dict[str, tf.Tensor]:
            return self._rank(users.user_id[first:last], history[first:last], held_out[first:last])

        rows = tf.shape(users.user_id)[0]
        return {
            **map_in_chunks(rank_chunk, _RANKED, rows, users_per_batch(self.items.size)),
            HISTORY_LENGTH: history.row_lengths(),
            ITEM_COUNT: tf.fill([rows], tf.constant(self.items.size, tf.int64)),
        }

    def _rank(self, user_id: tf.Tensor, history: tf.RaggedTensor, held_out: tf.Tensor) -> dict[str, tf.Tensor]:
        """The outputs that need scores of all items for all users."""
        seen, candidates = self.recommendable.seen(history).to_tensor(), self.candidates()
        caser = self.scores_by_caser(user_id, history)
        popularity = tf.broadcast_to(_popularity(self.items.size), tf.shape(caser))
        parts = {CASER: caser, POPULARITY: popularity}
        if self.rules:
            evidence = self.rules.scorer.evidence(history)
            parts |= {"": caser + self.rules.weight * evidence, SEQUENTIAL_RULES: ranking_scores(evidence)}
        outputs = {}
        for part, scores in parts.items():
            outputs[part + RANKS], outputs[HELD_OUT_ITEMS] = held_out_ranks(scores, seen, held_out, candidates)
            outputs[part + TOP_ITEMS] = top_items(scores, seen, MAX_K, candidates)[0]
        if not self.rules:
            for output in (RANKS, TOP_ITEMS):
                outputs[output] = outputs[CASER + output]
                outputs[SEQUENTIAL_RULES + output] = tf.zeros([tf.shape(caser)[0], 0], tf.int64)
        return outputs

    def _history(self, item_ids: tf.Tensor) -> tf.RaggedTensor:
        return known_items(tf.RaggedTensor.from_tensor(self.items.ids(item_ids), row_splits_dtype=tf.int64))

    def scores(self, user_id: tf.Tensor, history: tf.RaggedTensor) -> tf.Tensor:
        """The served scores, float [B, N].

        Args:
            user_id: string [B].
            history: int64 [B, (n)] ids of known items, oldest first.
        """
        scores = self.scores_by_caser(user_id, history)
        return scores + self.rules.weight * self.rules.scorer.evidence(history) if self.rules else scores

    def representations(self, users: HeldOutUsers) -> tf.Tensor:
        """Users as the model sees them: float [U, 2d]."""
        return self._representation(users.user_id, users.history)

    def scores_by_caser(self, user_id: tf.Tensor, history: tf.RaggedTensor) -> tf.Tensor:
        """Scores, float [B, N]: of the model, or of popularity if the history is empty."""
        scores = self.model.score_all(self._representation(user_id, history))
        empty = history.row_lengths()[:, tf.newaxis] == 0
        # Such rows are rare, and replacing scores would cost as much as masking seen items.
        return tf.cond(
            tf.reduce_any(empty), lambda: tf.where(empty, _popularity(self.items.size), scores), lambda: scores
        )

    def _representation(self, user_id: tf.Tensor, history: tf.RaggedTensor) -> tf.Tensor:
        return self.model((self.users.ids(user_id), last_window(history, self.model.L)))

    def _best(
        self, user_id: tf.Tensor, history: tf.RaggedTensor, exclude: tf.RaggedTensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        best = self.best_of_index if self.index else self.best_of_all
        return best(user_id, history, self._not_recommended(history, exclude))

    def _best_among(
        self, user_id: tf.Tensor, history: tf.RaggedTensor, exclude: tf.RaggedTensor, candidates: tf.RaggedTensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The best unseen items of `candidates` int64 [B, (c)] ids; of all items for a row without any."""
        known = known_items(candidates)
        shape = tf.stack([candidates.nrows(), tf.constant(self.items.size, tf.int64)])
        indices = tf.stack([known.value_rowids(), known.flat_values - FIRST_ID], axis=1)
        is_candidate = tf.scatter_nd(indices, tf.ones_like(known.flat_values, tf.int32), shape) > 0
        wanted = is_candidate | (candidates.row_lengths() == 0)[:, tf.newaxis]
        allowed = self.candidates()
        if allowed is not None:
            wanted &= allowed
        seen = self._not_recommended(history, exclude).to_tensor()
        return top_items(self.scores(user_id, history), seen, self.k, wanted)

    def _not_recommended(self, history: tf.RaggedTensor, exclude: tf.RaggedTensor) -> tf.RaggedTensor:
        return tf.concat([self.recommendable.seen(history), exclude], axis=1)

    def candidates(self) -> tf.Tensor | None:
        """The items that are not blocked: bool [1, N]; None: all."""
        return self.recommendable.candidates(self.items.size)

    def best_of_all(
        self, user_id: tf.Tensor, history: tf.RaggedTensor, seen: tf.RaggedTensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The best unseen items of the catalogue.

        Args:
            user_id: string [B].
            history: int64 [B, (n)] ids of known items, oldest first.
            seen: int64 [B, (n)] ids of items that must not be recommended.

        Returns:
            Ids int64 [B, k] and scores float [B, k], see `top_items`.
        """
        return top_items(self.scores(user_id, history), seen.to_tensor(), self.k, self.candidates())

    def best_of_index(
        self, user_id: tf.Tensor, history: tf.RaggedTensor, seen: tf.RaggedTensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The same as `best_of_all`, but for the candidates of `index` only."""
        assert self.index is not None

        def exact(row: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            at = slice(row, row + 1)
            best, scores = self.best_of_all(user_id[at], history[at], seen[at])
            return best[0], scores[0]

        search = IndexSearch(self.model, self.rules, self.index.lists, self.k, self.candidates())
        return search.best(self._representation(user_id, history), history, seen, self.index.probes, exact)


def _popularity(n_items: int) -> tf.Tensor:
    """Scores float [1, N] in descending order: ids are sorted by frequency, which by Zipf's law falls as 1 / rank."""
    return -tf.math.log(tf.range(1, n_items + 1, dtype=tf.float32))[tf.newaxis]
