"""Asks a SavedModel one golden query, in a process of its own that imports TensorFlow and nothing else.

`python -m components.verify_model FOLDER` ends with 0, or with 1 and one line that says what is wrong.
"""

from __future__ import annotations

import sys

import numpy as np
import tensorflow as tf

from components.contracts import EVALUATE, SCORE, SERVE_TF_EXAMPLE, SERVING


def verify(folder: str) -> str | None:
    """Loads the model and asks for recommendations: first without a history, then with the answer's best item.

    Args:
        folder: of the SavedModel.

    Returns:
        What is wrong, or None.
    """
    try:
        model = tf.saved_model.load(folder)
        missing = {SERVING, SERVE_TF_EXAMPLE, SCORE, EVALUATE} - set(model.signatures)
        if missing:
            return f"signatures are missing: {', '.join(sorted(missing))}"
        nothing = tf.zeros([1, 0], tf.string)
        first = _ask(model, nothing)
        best = first["item_ids"][:, :1]
        second = _ask(model, best)
    except (tf.errors.OpError, OSError, ValueError, KeyError) as error:
        return f"the golden query failed: {str(error).splitlines()[0]}"
    if not _items(first):
        return "the golden query was answered without items"
    for answer in (first, second):
        items = _items(answer)
        if len(set(items)) != len(items):
            return "the golden query was answered with the same item twice"
        if not np.isfinite(answer["scores"].numpy()).all():
            return "the golden query was answered with scores that are not finite"
    if best.numpy()[0, 0] in _items(second):
        return "an item of the history was recommended again"
    return None


def _items(answer: dict[str, tf.Tensor]) -> list[bytes]:
    return [item for item in answer["item_ids"].numpy()[0] if item]


def _ask(model: tf.Module, history: tf.Tensor) -> dict[str, tf.Tensor]:
    return model.signatures[SERVING](
        user_id=tf.constant([""]), recent_item_ids=history, exclude_item_ids=tf.zeros([1, 0], tf.string)
    )


if __name__ == "__main__":
    found = verify(sys.argv[1])
    if found:
        sys.exit(found)
