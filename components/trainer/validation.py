"""Ranking metrics on the valid split during training, by the code that evaluates the exported model."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from components.ranking.evaluation import Users, evaluate_users


def validator(
    scores: Callable[[tf.Tensor, tf.RaggedTensor], tf.Tensor], valid: Users, n_items: int
) -> Callable[[], dict[str, float]]:
    """Creates the function that `fit` calls after each epoch.

    Args:
        scores: scores float [B, N] of all items, from user IDs string [B] and histories int64 [B, (n)].
        valid: users of the valid split.
        n_items: number of items in the catalogue.

    Returns:
        A function that returns all ranking metrics by name.
    """
    score = tf.function(scores, reduce_retracing=True)

    def validate() -> dict[str, float]:
        return evaluate_users(lambda users: score(users.user_id, users.history), valid, n_items)

    return validate
