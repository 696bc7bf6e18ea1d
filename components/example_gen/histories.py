"""Interactions to users' histories: ordered by time, thinned by the configured rules."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from components.example_gen.settings import HistorySettings


class Histories(NamedTuple):
    """Histories of several users, one after the other.

    Attributes:
        user: int [U], in rising order.
        start: int [U + 1]; the history of `user[i]` is `item[start[i] : start[i + 1]]`.
        item: int [n], oldest first.
        dropped: interactions that each rule took away, by its name.
    """

    user: np.ndarray
    start: np.ndarray
    item: np.ndarray
    dropped: dict[str, int]


def build_histories(
    user: np.ndarray,
    item: np.ndarray,
    time: np.ndarray,
    file: np.ndarray,
    row: np.ndarray,
    rare_item: np.ndarray,
    settings: HistorySettings,
) -> Histories:
    """Orders and thins interactions.

    The order inside a user is time, then position in the input (file, row). The rules apply in the order of the
    fields of `HistorySettings`: rare items, newest N, repeats, short users.

    Args:
        user: int [n], codes of users.
        item: int [n], codes of items.
        time: int64 [n].
        file: int [n], index of the file.
        row: int [n], row in the file.
        rare_item: bool [items], by item code.
        settings: the rules.

    Returns:
        The histories of the users that are left.
    """
    order = np.lexsort((row, file, time, user))
    user, item = user[order], item[order]
    dropped: dict[str, int] = {}

    def keep(rule: str, kept: np.ndarray) -> None:
        nonlocal user, item
        dropped[rule] = int(len(kept) - kept.sum())
        user, item = user[kept], item[kept]

    keep("min_item_interactions", ~rare_item[item])
    keep("max_user_interactions", _position_from_end(user) < settings.max_user_interactions)
    if settings.repeated_items == "first_only":
        keep("repeated_items", _first_interaction(user, item))
    keep("min_user_interactions", _size_of_user(user) >= settings.min_user_interactions)
    users, first = np.unique(user, return_index=True)
    return Histories(users, np.append(first, len(user)), item, dropped)


def _size_of_user(user: np.ndarray) -> np.ndarray:
    """For each interaction, how many its user has; `user` is sorted."""
    _, inverse, counts = np.unique(user, return_inverse=True, return_counts=True)
    return counts[inverse] if len(user) else np.zeros(0, np.int64)


def _position_from_end(user: np.ndarray) -> np.ndarray:
    """For each interaction, how many newer ones its user has; `user` is sorted."""
    return np.searchsorted(user, user, side="right") - 1 - np.arange(len(user))


def _first_interaction(user: np.ndarray, item: np.ndarray) -> np.ndarray:
    """Whether the user meets the item for the first time; rows are ordered by user and time."""
    order = np.lexsort((np.arange(len(user)), item, user))
    again = (user[order][1:] == user[order][:-1]) & (item[order][1:] == item[order][:-1])
    first = np.ones(len(user), bool)
    first[order[1:][again]] = False
    return first
