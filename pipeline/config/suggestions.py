"""Suggestions for mistyped names ("did you mean")."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def closest_match(text: str, choices: Sequence[str]) -> str:
    """The most similar choice; for dotted keys, a similar last part is enough.

    Args:
        text: the unknown word.
        choices: known words, at least one.

    Returns:
        One of `choices`, the first of equally similar ones.
    """

    def similarity(choice: str) -> float:
        whole = difflib.SequenceMatcher(None, text.lower(), choice.lower()).ratio()
        last = difflib.SequenceMatcher(None, text.lower().split(".")[-1], choice.lower().split(".")[-1]).ratio()
        return max(whole, 0.9 * last)

    return max(choices, key=similarity)
