"""Ranking metrics of the valid split while training, by the same code that evaluates the exported model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from components.export.servable import ServableCaser
from components.export.signatures import RANKS, TOP_ITEMS
from components.ranking.metrics import all_metrics, stacked
from components.ranking.ranks import users_per_batch


def validator(servable: ServableCaser, examples: np.ndarray) -> Callable[[], dict[str, float]]:
    """Makes the function that `fit` calls after each epoch.

    Args:
        servable: holds the model that is being trained.
        examples: bytes [users], serialized raw Examples of the valid split.

    Returns:
        A function of no arguments that gives all ranking metrics by name.
    """
    size = users_per_batch(servable.items.size)

    def validate() -> dict[str, float]:
        batches = [
            servable.evaluate(tf.constant(examples[start : start + size].tolist()))
            for start in range(0, len(examples), size)
        ]
        ranks, top_items = (stacked([batch[name].numpy() for batch in batches]) for name in (RANKS, TOP_ITEMS))
        return all_metrics(ranks, top_items, servable.items.size)

    return validate
