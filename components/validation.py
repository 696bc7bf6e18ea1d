"""Ranking metrics of the valid split while training, by the same code that evaluates the exported model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from components.contracts import RANKS, TOP_ITEMS
from components.ranking_metrics import all_metrics
from components.servable import ServableCaser

_USERS_PER_BATCH = 512


def read_raw_examples(files: list[str]) -> np.ndarray:
    """Serialized raw Examples of a split, as ExampleGen wrote them.

    Args:
        files: names of gzipped TFRecord files.

    Returns:
        bytes [users], sorted, so that results do not depend on how Beam wrote them.
    """
    dataset = tf.data.TFRecordDataset(tf.constant(sorted(files), tf.string), compression_type="GZIP")
    return np.sort(np.array(list(dataset.as_numpy_iterator()), dtype=object))


def validator(servable: ServableCaser, examples: np.ndarray) -> Callable[[], dict[str, float]]:
    """Makes the function that `fit` calls after each epoch.

    Args:
        servable: holds the model that is being trained.
        examples: bytes [users], serialized raw Examples of the valid split.

    Returns:
        A function of no arguments that gives all ranking metrics by name.
    """

    def validate() -> dict[str, float]:
        batches = [
            servable.evaluate(tf.constant(examples[start : start + _USERS_PER_BATCH].tolist()))
            for start in range(0, len(examples), _USERS_PER_BATCH)
        ]
        width = max(batch[RANKS].shape[1] for batch in batches)
        ranks = np.concatenate([np.pad(b[RANKS].numpy(), [(0, 0), (0, width - b[RANKS].shape[1])]) for b in batches])
        top_items = np.concatenate([batch[TOP_ITEMS].numpy() for batch in batches])
        return all_metrics(ranks, top_items, servable.items.size)

    return validate
