"""Interactions -> user histories: sorted by time and filtered by the configured rules."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from components.example_gen.settings import HistorySettings


class Histories(NamedTuple):
    """Histories of several users, concatenated.

    Attributes:
        user: int [U], ascending.
        start: int [U + 1]; the history of `user[i]` is `item[start[i] : start[i + 1]]`.
        item: int [n], oldest first.
        time: int64 [n], microseconds.
        dropped: number of interactions dropped by each rule.
        ties: number of interactions at the same time as the user's previous or next one, before the rules.
    """

    user: np.ndarray
    start: np.ndarray
    item: np.ndarray
    time: np.ndarray
    dropped: dict[str, int]
    ties: int


def build_histories(
    user: np.ndarray,
    item: np.ndarray,
    time: np.ndarray,
    file: np.ndarray,
    row: np.ndarray,
    rare_item: np.ndarray,
    settings: HistorySettings,
) -> Histories:
    """Sorts and filters interactions.

    Interactions of a user are sorted by time, then by position in the input (file, row). The rules apply in the order
    of the fields of `HistorySettings`: rare items, most recent N, repeated items, short histories.

    Args:
        user: int [n], user codes.
        item: int [n], item codes.
        time: int64 [n], microseconds.
        file: int [n], file index.
        row: int [n], row number in the file.
        rare_item: bool [items], whether an item is rarer than `min_item_interactions`.
        settings: the filter rules.

    Returns:
        The histories of the remaining users.
    """
    order = np.lexsort((row, file, time, user))
    user, item, time = user[order], item[order], time[order]
    ties = _ties(user, time)
    dropped: dict[str, int] = {}

    def keep(rule: str, kept: np.ndarray) -> None:
        nonlocal user, item, time
        dropped[rule] = int(len(kept) - kept.sum())
        user, item, time = user[kept], item[kept], time[kept]

    keep("min_item_interactions", ~rare_item[item])
    keep("max_user_interactions", _position_from_end(user) < settings.max_user_interactions)
    if settings.repeated_items == "first_only":
        keep("repeated_items", _first_interaction(user, item))
    keep("min_user_interactions", _size_of_user(user) >= settings.min_user_interactions)
    users, first = np.unique(user, return_index=True)
    return Histories(users, np.append(first, len(user)), item, time, dropped, ties)


def _ties(user: np.ndarray, time: np.ndarray) -> int:
    """The number of interactions at the same time as a neighbour's; rows are sorted by user and time."""
    same = (user[1:] == user[:-1]) & (time[1:] == time[:-1])
    return int((np.append(same, False) | np.append(False, same)).sum())


def _size_of_user(user: np.ndarray) -> np.ndarray:
    """The number of interactions of each interaction's user; `user` is sorted."""
    _, inverse, counts = np.unique(user, return_inverse=True, return_counts=True)
    return counts[inverse] if len(user) else np.zeros(0, np.int64)


def _position_from_end(user: np.ndarray) -> np.ndarray:
    """The number of later interactions of the same user; `user` is sorted."""
    return np.searchsorted(user, user, side="right") - 1 - np.arange(len(user))


def _first_interaction(user: np.ndarray, item: np.ndarray) -> np.ndarray:
    """Whether this is the user's first interaction with the item; rows are sorted by user and time."""
    order = np.lexsort((np.arange(len(user)), item, user))
    again = (user[order][1:] == user[order][:-1]) & (item[order][1:] == item[order][:-1])
    first = np.ones(len(user), bool)
    first[order[1:][again]] = False
    return first
