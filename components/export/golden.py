"""The golden request: a few requests with the trainer's own answer, which travels with the model.

Whoever loads the model elsewhere (another process, a server) can ask the same and compare.
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
# Another process, or another build of TensorFlow, may add up in another order.
_RELATIVE, _ABSOLUTE = 1e-3, 1e-4


class Golden(NamedTuple):
    """PredictRequests, and what the trainer answered."""

    requests: PredictRequests
    answers: Predictions


def golden_requests(users: Sequence[str], items: Sequence[str]) -> PredictRequests:
    """Rows that differ in what is known.

    Args:
        users: of the model, at least one.
        items: of the model, the most popular first, at least one.

    Returns:
        A known user with a history; an unknown one without; one with unknown items in between; one with exclusions.
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
    """Puts it into a SavedModel.

    Args:
        folder: of the SavedModel.
        golden: what to write.
    """
    os.makedirs(os.path.join(folder, EXTRA), exist_ok=True)
    with open(os.path.join(folder, GOLDEN_FILE), "w", encoding="utf-8") as file:
        json.dump({name: part._asdict() for name, part in golden._asdict().items()}, file, ensure_ascii=False)


def read_golden(folder: str) -> Golden:
    """Reads what `write_golden` wrote.

    Args:
        folder: of the SavedModel.

    Raises:
        OSError: there is none.
        ValueError: it is not whole.
    """
    with open(os.path.join(folder, GOLDEN_FILE), encoding="utf-8") as file:
        parts = json.load(file)
    try:
        return Golden(PredictRequests(**parts["requests"]), Predictions(**parts["answers"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"{GOLDEN_FILE} has other fields than expected: {error}") from None


def fault(golden: Golden, answers: Predictions) -> str | None:
    """What is wrong with an answer to the golden request.

    Args:
        golden: the requests, and the trainer's answer.
        answers: of another process.

    Returns:
        One clause, or None where it is as good as the trainer's.
    """
    requests = golden.requests
    for row, (items, scores) in enumerate(zip(answers.item_ids, answers.scores, strict=True)):
        given = [item for item in items if item]
        if not all(map(math.isfinite, scores)):
            return "the golden request was answered with scores that are not finite"
        if len(set(given)) != len(given):
            return "the golden request was answered with the same item twice"
        if set(given) & set(requests.recent_item_ids[row]):
            return "the golden request was answered with an item of the history"
        if set(given) & set(requests.exclude_item_ids[row]):
            return "the golden request was answered with an excluded item"
    if not any(item for items in answers.item_ids for item in items):
        return "the golden request was answered without items"
    return _difference(golden.answers, answers)


def _difference(expected: Predictions, found: Predictions) -> str | None:
    if [len(items) for items in found.item_ids] != [len(items) for items in expected.item_ids]:
        return "the golden request was answered with another number of rows or items than the trainer gave"
    for row, (scores, others) in enumerate(zip(expected.scores, found.scores, strict=True)):
        for place, (score, other) in enumerate(zip(scores, others, strict=True)):
            if not _close(score, other):
                return (
                    f"the golden request was answered with the score {other:g} where the trainer's is {score:g} "
                    f"(row {row + 1}, place {place + 1})"
                )
            items = expected.item_ids[row][place], found.item_ids[row][place]
            # Items whose scores are as good as equal may change places.
            neighbours = [scores[near] for near in (place - 1, place + 1) if 0 <= near < len(scores)]
            last = place + 1 == len(scores)
            if items[0] != items[1] and not last and not any(_close(score, near) for near in neighbours):
                return (
                    f"the golden request was answered with {items[1]!r} where the trainer has {items[0]!r} "
                    f"(row {row + 1}, place {place + 1})"
                )
    return None


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
