"""Golden request: stored requests with the trainer's predictions.

Any process that loads the model can replay the requests and compare.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from typing import NamedTuple

from components.export.model_info import EXTRA
from components.export.signatures import Predictions, PredictRequests

GOLDEN_FILE = os.path.join(EXTRA, "golden_request.json")
# Other processes and TensorFlow builds may sum in another order.
_RELATIVE, _ABSOLUTE = 1e-3, 1e-4


class Golden(NamedTuple):
    """Requests, the trainer's predictions, and whether these leave out the items of the history."""

    requests: PredictRequests
    predictions: Predictions
    exclude_seen: bool = True


def golden_requests(users: Sequence[str], items: Sequence[str]) -> PredictRequests:
    """Creates requests that cover the special cases.

    Args:
        users: user ids of the model, at least one.
        items: item ids of the model by popularity, at least one.

    Returns:
        A known user with a history, an unknown user without, a history with an unknown item, and exclusions.
    """
    width = max(len(items) // 2, 1)
    history = list(items[:width])
    unknown = "\N{NO ENTRY SIGN}"
    return PredictRequests(
        [users[0], unknown, users[-1], users[0]],
        [history, [""] * width, [unknown, *history[:-1]], ["", *history[1:]]],
        [[""], [""], [""], [items[-1]]],
    )


def write_golden(folder: str, golden: Golden) -> None:
    """Writes the golden request of a SavedModel.

    Args:
        folder: directory of the SavedModel.
        golden: requests and predictions.
    """
    os.makedirs(os.path.join(folder, EXTRA), exist_ok=True)
    with open(os.path.join(folder, GOLDEN_FILE), "w", encoding="utf-8") as file:
        parts = {"requests": golden.requests._asdict(), "predictions": golden.predictions._asdict()}
        json.dump({**parts, "exclude_seen": golden.exclude_seen}, file, ensure_ascii=False)


def read_golden(folder: str) -> Golden:
    """Reads the golden request of a SavedModel.

    Args:
        folder: directory of the SavedModel.

    Raises:
        OSError: there is no golden request.
        ValueError: it is malformed.
    """
    with open(os.path.join(folder, GOLDEN_FILE), encoding="utf-8") as file:
        parts = json.load(file)
    try:
        requests, predictions = PredictRequests(**parts["requests"]), Predictions(**parts["predictions"])
        return Golden(requests, predictions, parts.get("exclude_seen", True))
    except (KeyError, TypeError) as error:
        raise ValueError(f"{GOLDEN_FILE} is malformed: {error}") from None


def golden_mismatch(golden: Golden, predictions: Predictions) -> str | None:
    """Compares predictions for the golden request with the trainer's.

    Args:
        golden: requests and the trainer's predictions.
        predictions: predictions of another process.

    Returns:
        One clause that names the first mismatch, or None if they agree.
    """
    requests = golden.requests
    for row, (items, scores) in enumerate(zip(predictions.item_ids, predictions.scores, strict=True)):
        recommended = [item for item in items if item]
        if not all(map(math.isfinite, scores)):
            return "golden request: non-finite scores"
        if len(set(recommended)) != len(recommended):
            return "golden request: duplicate items"
        if golden.exclude_seen and set(recommended) & set(requests.recent_item_ids[row]):
            return "golden request: an item from the history"
        if set(recommended) & set(requests.exclude_item_ids[row]):
            return "golden request: an excluded item"
    if not any(item for items in predictions.item_ids for item in items):
        return "golden request: no items"
    return _difference(golden.predictions, predictions)


def _difference(expected: Predictions, actual: Predictions) -> str | None:
    shapes = [[len(items) for items in predictions.item_ids] for predictions in (expected, actual)]
    if shapes[0] != shapes[1]:
        return f"golden request: different shape, {shapes[1]} items per row instead of {shapes[0]}"
    for row, (scores, others) in enumerate(zip(expected.scores, actual.scores, strict=True)):
        for position, (score, other) in enumerate(zip(scores, others, strict=True)):
            where = f"(row {row + 1}, position {position + 1})"
            if not _close(score, other):
                return f"golden request: score {other:g}, expected {score:g} {where}"
            items = expected.item_ids[row][position], actual.item_ids[row][position]
            # Items with nearly equal scores may swap positions.
            neighbours = [scores[near] for near in (position - 1, position + 1) if 0 <= near < len(scores)]
            last = position + 1 == len(scores)
            if items[0] != items[1] and not last and not any(_close(score, near) for near in neighbours):
                return f"golden request: item {items[1]!r}, expected {items[0]!r} {where}"
    return None


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
