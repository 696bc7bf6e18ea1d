"""The blocklist as ids of the vocabulary."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from tfx import types
from tfx.types import artifact_utils

from components.errors import UserError
from components.features import FIRST_ID
from components.items_gen.artifact import read_item_ids
from components.ranking.recommendable import Recommendable
from components.ranking.settings import RecommendSettings
from components.transform.vocabulary import Vocabulary

_LISTED = 5


def recommendable(settings: RecommendSettings, blocklist: str | None, items: Vocabulary) -> Recommendable:
    """Which items may be recommended.

    Args:
        settings: whether seen items may be.
        blocklist: URI of the artifact of ItemsGen; None: no item is blocked.
        items: the item vocabulary.

    Raises:
        UserError: no item would be left.
    """
    if blocklist is None:
        return Recommendable(settings.exclude_seen)
    blocked = np.unique(items.ids(tf.constant(read_item_ids(blocklist), tf.string)).numpy())
    blocked = blocked[blocked >= FIRST_ID]
    if len(blocked) == items.size:
        raise UserError(
            "`recommend.blocklist` has all items of the train split, so nothing is left to recommend. "
            "Hint: it names the items that are never recommended; a request can name the only ones that are."
        )
    return Recommendable(settings.exclude_seen, blocked if len(blocked) else None)


def recommendable_of(
    exec_properties: dict[str, Any], input_dict: dict[str, list[types.Artifact]], items: Vocabulary
) -> Recommendable:
    """Which items may be recommended, for a node with the parameter `recommend` and the input `blocklist`.

    Args:
        exec_properties: parameters of the node.
        input_dict: its inputs.
        items: the item vocabulary.
    """
    settings = RecommendSettings.model_validate_json(exec_properties["recommend"])
    blocklist = input_dict.get("blocklist")
    return recommendable(settings, artifact_utils.get_single_uri(blocklist) if blocklist else None, items)


def blocklist_note(blocklist: str, items: Vocabulary) -> str:
    """What to know about a blocklist, in one sentence.

    Args:
        blocklist: URI of the artifact of ItemsGen.
        items: the item vocabulary.
    """
    ids = read_item_ids(blocklist)
    known = items.ids(tf.constant(ids, tf.string)).numpy() >= FIRST_ID
    unknown = [id_ for id_, is_known in zip(ids, known, strict=True) if not is_known]
    note = f"Blocklist: {known.sum():,} items are never recommended"
    if unknown:
        listed = ", ".join(unknown[:_LISTED]) + (", ..." if len(unknown) > _LISTED else "")
        note += f"; IDs that are not in the train split: {len(unknown):,} ({listed})"
    return f"{note}."
