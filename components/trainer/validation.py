"""Ranking metrics on the valid split during training, by the code that evaluates the exported model."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from components.export.servable import ServableCaser
from components.ranking.evaluation import Users, evaluate_users


def validator(servable: ServableCaser, valid: Users) -> Callable[[], dict[str, float]]:
    """Creates the function that `fit` calls after each epoch.

    Args:
        servable: contains the model in training.
        valid: users of the valid split.

    Returns:
        A function that returns all ranking metrics by name.
    """
    score = tf.function(servable.scores_by_caser, reduce_retracing=True)

    def validate() -> dict[str, float]:
        return evaluate_users(lambda users: score(users.user_id, users.history), valid, servable.items.size)

    return validate
