"""What a SavedModel tells about itself: the model info, `assets.extra/model.json`, and its vocabularies."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

from components.files import read_lines, read_text

EXTRA = "assets.extra"
_ASSETS = "assets"

MODEL_INFO_FILE = os.path.join(EXTRA, "model.json")
# Written by a push, see `components.pusher.model_card`.
MODEL_CARD_FILE = os.path.join(EXTRA, "model_card.json")
# Items that are never recommended, an ID per line.
BLOCKLIST_FILE = os.path.join(EXTRA, "blocklist.txt")


def write_model_info(folder: str, info: dict[str, Any]) -> None:
    """Merges entries into the model info.

    The Trainer writes `items`, `users`, `L`, `k`, the hyperparameters as `model`, and `training`; the Pusher adds
    `version`, the test `metrics` of the evaluated model, `refit`, whether this one is a refit of it, and
    `config_digest`, a digest of the configuration.

    Args:
        folder: directory of the SavedModel.
        info: JSON values by name.
    """
    os.makedirs(os.path.join(folder, EXTRA), exist_ok=True)
    info = {**read_model_info(folder), **info}
    with open(os.path.join(folder, MODEL_INFO_FILE), "w", encoding="utf-8") as file:
        json.dump(info, file, indent=1)


def read_model_info(folder: str) -> dict[str, Any]:
    """Reads the model info; empty if there is none.

    Args:
        folder: directory of the SavedModel, or its URI.
    """
    try:
        return dict(json.loads(read_text(os.path.join(folder, MODEL_INFO_FILE))))
    except (OSError, ValueError):
        return {}


def write_blocklist(folder: str, items: Iterable[str]) -> None:
    """Writes the items that are never recommended.

    Args:
        folder: directory of the SavedModel.
        items: their IDs.
    """
    os.makedirs(os.path.join(folder, EXTRA), exist_ok=True)
    with open(os.path.join(folder, BLOCKLIST_FILE), "w", encoding="utf-8") as file:
        file.writelines(f"{item}\n" for item in items)


def read_blocklist(folder: str) -> list[str]:
    """Item IDs that a SavedModel never recommends; empty for one of an older version.

    Args:
        folder: directory of the SavedModel, or its URI.
    """
    try:
        return read_lines(os.path.join(folder, BLOCKLIST_FILE))
    except OSError:
        return []


def vocabulary_file(folder: str, vocabulary: str) -> str:
    """The file of a vocabulary in a SavedModel, an ID per line.

    Args:
        folder: directory of the SavedModel, or its URI.
        vocabulary: its name, see `components.features`.
    """
    return os.path.join(folder, _ASSETS, vocabulary)
