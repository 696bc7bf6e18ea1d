"""What a model is, in a file that travels with it: `assets.extra/model.json`."""

from __future__ import annotations

import json
import os
from typing import Any

EXTRA = "assets.extra"

MODEL_INFO_FILE = os.path.join(EXTRA, "model.json")


def write_model_info(folder: str, facts: dict[str, Any]) -> None:
    """Adds facts to those that are there.

    The trainer writes `items`, `users`, `L` and `k`; the Pusher adds `version`, `metrics` of the test data and
    `config_digest`, of the settings that the model was made with.

    Args:
        folder: of the SavedModel.
        facts: by name; JSON values.
    """
    os.makedirs(os.path.join(folder, EXTRA), exist_ok=True)
    facts = {**read_model_info(folder), **facts}
    with open(os.path.join(folder, MODEL_INFO_FILE), "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=1)


def read_model_info(folder: str) -> dict[str, Any]:
    """The facts by name; none where the model comes without them."""
    try:
        with open(os.path.join(folder, MODEL_INFO_FILE), encoding="utf-8") as file:
            return dict(json.load(file))
    except (OSError, ValueError):
        return {}
