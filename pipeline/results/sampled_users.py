"""Runs an exported model for the explorer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from components.example_gen.raw_examples import parse_raw_examples
from components.export import signatures
from components.features import FIRST_ID
from pipeline.results.explorer import PARTS, SERVED, Explorer, ExplorerItem, ExplorerUser, ScoredItem

# Items of a list, and the most recent and held-out ones of a user.
_LIST, _HISTORY, _HELD_OUT = 10, 20, 20
# Scores to compute: bounds the time for large catalogues, whose users and items are scored one after the other.
_SCORES = 20_000_000
_USERS_PER_BATCH = 32


def explore(
    model: Any, serialized: Sequence[bytes], catalogue: Sequence[str], interactions: np.ndarray, history_decay: float
) -> Explorer:
    """Runs an exported model for users and items.

    Args:
        model: a loaded SavedModel with the signatures `evaluate` and `similar_items`.
        serialized: raw Examples of the users; for a large catalogue the first ones are used.
        catalogue: all item ids, by descending popularity.
        interactions: of the train split by item, int64 [n_items].
        history_decay: of the sequential rules.
    """
    most = max(_SCORES // len(catalogue), _LIST)
    users = list(_users(model, serialized[:most], catalogue))
    beside = {item: (similar, following) for item, similar, following in _beside(model, catalogue[:most])}
    shown = {item for user in users for items in (user.history, user.held_out, *user.lists.values()) for item in items}
    shown |= {other.item for lists in beside.values() for found in lists for other in found} | beside.keys()
    items = {
        item: ExplorerItem(item, column + 1, int(interactions[column]), *beside.get(item, ()))
        for column, item in enumerate(catalogue)
        if item in shown
    }
    return Explorer(users, items, len(catalogue), history_decay)


def _users(model: Any, serialized: Sequence[bytes], catalogue: Sequence[str]) -> Iterator[ExplorerUser]:
    for start in range(0, len(serialized), _USERS_PER_BATCH):
        batch = tf.constant(serialized[start : start + _USERS_PER_BATCH], tf.string)
        outputs = model.signatures[signatures.EVALUATE](examples=batch)
        tops = {part: outputs[part + signatures.TOP_ITEMS].numpy()[:, :_LIST] for part in PARTS}
        if not tops[signatures.SEQUENTIAL_RULES].shape[1]:
            # Caser alone is served.
            tops = {signatures.CASER: tops[SERVED]}
        raw = parse_raw_examples(batch)
        rows = zip(raw.user_id.numpy(), raw.item_ids.to_list(), raw.holdout.to_list(), strict=True)
        for row, (user, history, held_out) in enumerate(rows):
            lists = {
                part: [catalogue[id_ - FIRST_ID] for id_ in top[row] if id_ >= FIRST_ID] for part, top in tops.items()
            }
            yield ExplorerUser(
                user.decode(errors="replace"), _texts(history[-_HISTORY:]), _texts(held_out[:_HELD_OUT]), lists
            )


def _beside(model: Any, items: Sequence[str]) -> Iterator[tuple[str, list[ScoredItem], list[ScoredItem]]]:
    for start in range(0, len(items), _USERS_PER_BATCH):
        batch = items[start : start + _USERS_PER_BATCH]
        outputs = model.signatures[signatures.SIMILAR_ITEMS](item_id=tf.constant(batch, tf.string))
        found = [
            [
                [ScoredItem(item, score) for item, score in zip(_texts(ids), scores, strict=True) if item]
                for ids, scores in zip(
                    outputs[names].numpy()[:, :_LIST].tolist(), outputs[values].numpy()[:, :_LIST].tolist(), strict=True
                )
            ]
            for names, values in (
                (signatures.ITEMS, signatures.SCORES),
                (signatures.FOLLOWING_ITEMS, signatures.FOLLOWING_SCORES),
            )
        ]
        yield from zip(batch, *found, strict=True)


def _texts(items: Iterable[bytes]) -> list[str]:
    return [item.decode(errors="replace") for item in items]
