"""Data of the explorer in the report: sampled users with their lists, and items with similar and following ones."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from components.export import signatures

# Prefixes of the outputs of `evaluate`, with titles.
SERVED = ""
PARTS = {SERVED: "served", signatures.CASER: "Caser", signatures.SEQUENTIAL_RULES: "sequential rules"}


class ExplorerUser(NamedTuple):
    """A user of the evaluated split.

    Attributes:
        user: user id.
        history: recent item ids, oldest first.
        held_out: held-out item ids, oldest first.
        lists: item ids by part of the model, best first.
    """

    user: str
    history: list[str]
    held_out: list[str]
    lists: dict[str, list[str]]


class ScoredItem(NamedTuple):
    """An item beside another one, with its similarity or the weight of its rule."""

    item: str
    score: float


class ExplorerItem(NamedTuple):
    """An item of the catalogue.

    Attributes:
        item: item id.
        rank: rank by popularity, from 1.
        interactions: interactions of the train split with it.
        similar: the most similar items; None: not computed.
        following: the items with the strongest sequential rules; None: not computed.
    """

    item: str
    rank: int
    interactions: int
    similar: list[ScoredItem] | None = None
    following: list[ScoredItem] | None = None


class Explorer(NamedTuple):
    """What the explorer shows.

    Attributes:
        users: sampled users.
        items: items with similar ones, and all others that a user has.
        catalogue: number of items in the catalogue.
        history_decay: exponent by which a rule counts less for an item further back; 0 without rules.
    """

    users: list[ExplorerUser]
    items: dict[str, ExplorerItem]
    catalogue: int
    history_decay: float

    def to_json(self, titles: Mapping[str, str | None]) -> str:
        """JSON for a script element: items by index, so that an id is there once.

        Args:
            titles: titles of items.
        """
        index: dict[str, int] = {}

        def at(items: Iterable[str]) -> list[int]:
            return [index.setdefault(item, len(index)) for item in items]

        def scored(found: Sequence[ScoredItem]) -> list[list[float]]:
            return [[*at([item]), float(f"{score:.4g}")] for item, score in found]

        users = [
            [user.user, at(user.history), at(user.held_out), {part: at(items) for part, items in user.lists.items()}]
            for user in self.users
        ]
        beside = {
            at([item.item])[0]: [scored(item.similar), scored(item.following or [])]
            for item in self.items.values()
            if item.similar is not None
        }
        # Unknown ones, such as held-out items that training has not seen, have neither rank nor interactions.
        items = [
            [item, titles.get(item) or "", *((known.rank, known.interactions) if known else (0, 0))]
            for item in index
            for known in [self.items.get(item)]
        ]
        content = {
            "parts": [[part, PARTS[part]] for part in self.users[0].lists] if self.users else [],
            "users": users,
            "items": items,
            "beside": beside,
            "catalogue": self.catalogue,
            "decay": self.history_decay,
        }
        # "</script>" in an id would end the element.
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
