"""Ranking metrics on the valid split during training, by the code that evaluates the exported model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from components.export.servable import ServableCaser
from components.export.signatures import RANKS, TOP_ITEMS
from components.ranking.metrics import all_metrics, concatenate_padded
from components.ranking.ranks import users_per_batch


def validator(servable: ServableCaser, examples: np.ndarray) -> Callable[[], dict[str, float]]:
    """Creates the function that `fit` calls after each epoch.

    Args:
        servable: contains the model in training.
        examples: bytes [users], serialized raw Examples of the valid split.

    Returns:
        A function that returns all ranking metrics by name.
    """
    size = users_per_batch(servable.items.size)

    def validate() -> dict[str, float]:
        batches = [
            servable.evaluate(tf.constant(examples[start : start + size].tolist()))
            for start in range(0, len(examples), size)
        ]
        ranks, top_items = (
            concatenate_padded([batch[name].numpy() for batch in batches]) for name in (RANKS, TOP_ITEMS)
        )
        return all_metrics(ranks, top_items, servable.items.size)

    return validate
