"""Writes the SavedModel: signatures, variables, and what belongs to it in `assets.extra`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from components.export.golden import GOLDEN_FILE, Golden, golden_requests, write_golden
from components.export.model_info import BLOCKLIST_FILE, EXTRA, MODEL_INFO_FILE, write_blocklist, write_model_info
from components.export.servable import ServableCaser
from components.export.signatures import (
    EVALUATE,
    ITEMS,
    RECOMMEND_AMONG,
    SCORE,
    SCORES,
    SERVE_TF_EXAMPLE,
    SERVING,
    SIMILAR_ITEMS,
    Predictions,
    PredictRequests,
)
from components.export.similar_items import SimilarItems
from components.export.warmup import WARMUP_FILE, write_warmup
from components.features import FIRST_ID

# Attribute of the exported object with the model's weights, in the order of Keras.
WEIGHTS = "weights"


def save_model(servable: ServableCaser, path: str, training: Mapping[str, Any] | None = None) -> None:
    """Writes the SavedModel, with golden request, warm-up requests, model info and blocklist in `assets.extra`.

    Args:
        servable: a trained model.
        path: new directory, local or in an object store.
        training: how the model was trained, for the model info.
    """
    model, rules = servable.model, servable.rules
    requests = _requests(servable)
    model.item_embedding.freeze()
    # Predict before saving: a Keras layer creates its weights on the first call.
    golden = Golden(requests, _predict(servable, requests), servable.recommendable.exclude_seen)
    similar = SimilarItems(model, servable.items, rules.scorer if rules else None, servable.k, servable.recommendable)
    # Not the servable: a tracked Keras variable is exported as a second copy beside the variable that the functions
    # read. A server that runs the graph, as TF Serving does, restores only the copy, which also doubles the memory.
    root = tf.Module()
    setattr(root, WEIGHTS, [variable.value for variable in model.weights])
    root.vocabularies = [servable.items, servable.users]
    root.rules = rules.scorer if rules else None
    root.lengths = similar.lengths
    root.index = servable.index.lists if servable.index else None
    tf.saved_model.save(
        root,
        path,
        signatures={
            SERVING: servable.recommend,
            SERVE_TF_EXAMPLE: servable.recommend_for_examples,
            RECOMMEND_AMONG: servable.recommend_among,
            SCORE: servable.score,
            SIMILAR_ITEMS: similar.similar_items,
            EVALUATE: servable.evaluate,
        },
    )
    # Written to a local directory and copied, since `path` may be in an object store.
    with tempfile.TemporaryDirectory() as extra:
        write_golden(extra, golden)
        write_warmup(extra, requests)
        write_model_info(extra, _info(servable, training))
        write_blocklist(extra, _blocked(servable))
        tf.io.gfile.makedirs(os.path.join(path, EXTRA))
        for file in (GOLDEN_FILE, WARMUP_FILE, MODEL_INFO_FILE, BLOCKLIST_FILE):
            tf.io.gfile.copy(os.path.join(extra, file), os.path.join(path, file))


def _info(servable: ServableCaser, training: Mapping[str, Any] | None) -> dict[str, Any]:
    info = {
        "items": servable.items.size,
        "users": servable.users.size,
        "L": servable.model.L,
        "k": servable.k,
        "exclude_seen": servable.recommendable.exclude_seen,
        "rule_weight": servable.rules.weight if servable.rules else 0.0,
        "index_recall": servable.index.recall if servable.index else None,
        "model": servable.model.hyperparameters.model_dump(mode="json"),
    }
    return info | ({"training": dict(training)} if training else {})


def _blocked(servable: ServableCaser) -> list[str]:
    blocked = servable.recommendable.blocked
    return [] if blocked is None else [token.decode() for token in servable.items.tokens(tf.constant(blocked)).numpy()]


def _requests(servable: ServableCaser) -> PredictRequests:
    """Requests with histories a little longer than the window."""
    users = servable.users.tokens(tf.constant([0, servable.users.size - 1], tf.int64) + FIRST_ID)
    longest = min(2 * servable.model.L + 4, servable.items.size)
    items = servable.items.tokens(tf.range(longest, dtype=tf.int64) + FIRST_ID)
    return golden_requests(*([token.decode() for token in tokens.numpy()] for tokens in (users, items)))


def _predict(servable: ServableCaser, requests: PredictRequests) -> Predictions:
    outputs = servable.recommend(*(tf.constant(rows, tf.string) for rows in requests))
    return Predictions.from_arrays(outputs[ITEMS].numpy(), outputs[SCORES].numpy())
