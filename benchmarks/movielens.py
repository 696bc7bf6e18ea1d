"""MovieLens-1M in the split of the Caser paper's authors, as arrays, and enlarged copies."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

# Data processing of the authors: rare items are dropped; train is the first 80 % of each user (rounded up),
# test the rest.
# For validation they train on the first 70 % and hold out the next 10 %.
_MIN_ITEM_INTERACTIONS = 5
TEST, VALIDATION = (0.8, 1.0), (0.7, 0.8)


class Split(NamedTuple):
    """Histories by user, oldest first. Ids start at 2, by descending frequency in train; 1 is an unknown item.

    Attributes:
        train: int item ids, users concatenated.
        train_start: user u is `train[train_start[u]:train_start[u + 1]]`.
        test: held-out items.
        test_start: as `train_start`.
        n_items: distinct items in train.
    """

    train: np.ndarray
    train_start: np.ndarray
    test: np.ndarray
    test_start: np.ndarray
    n_items: int

    @property
    def n_users(self) -> int:
        """Number of users."""
        return len(self.train_start) - 1


def refuse_without(data: Path) -> None:
    """Exits with a message if the data is missing."""
    if not data.is_file():
        sys.exit(
            f"{data} does not exist. Hint: pass MovieLens-1M as a CSV `user_id,item_id,timestamp`, sorted "
            "chronologically: make bench DATA=path/to/interactions.csv"
        )


def read_split(data: Path, users: int | None = None, fractions: tuple[float, float] = TEST) -> Split:
    """Reads the data and splits it.

    Args:
        data: CSV with header `user_id,item_id,timestamp`, whole numbers.
        users: use only the first users; None: all.
        fractions: fractions of each history where train ends and where the held-out part ends.

    Returns:
        The split.
    """
    user, item, time = np.loadtxt(data, np.int64, delimiter=",", skiprows=1, unpack=True)
    order = np.lexsort((time, user))
    user, item = np.unique(user[order], return_inverse=True)[1], item[order]
    if users is not None:
        user, item = user[user < users], item[user < users]
    _, code, count = np.unique(item, return_inverse=True, return_counts=True)
    frequent = count[code] >= _MIN_ITEM_INTERACTIONS
    user, item = user[frequent], item[frequent]

    start = np.searchsorted(user, np.arange(user.max() + 2))
    lengths = np.diff(start)
    position = np.arange(len(user)) - start[user]
    in_train, used = (position < np.ceil(lengths * fraction - 1e-9)[user] for fraction in fractions)
    known, counts = np.unique(item[in_train], return_counts=True)
    rank = np.empty(len(known), np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(known))
    column = np.minimum(np.searchsorted(known, item), len(known) - 1)
    ids = np.where(known[column] == item, rank[column] + 2, 1)
    held_out = used & ~in_train

    def starts(chosen: np.ndarray) -> np.ndarray:
        return np.concatenate([[0], np.cumsum(np.bincount(user[chosen], minlength=len(lengths)))])

    return Split(ids[in_train], starts(in_train), ids[held_out], starts(held_out), len(known))


def padded(items: np.ndarray, start: np.ndarray) -> np.ndarray:
    """One row per user, padded with 0 on the right."""
    lengths = np.diff(start)
    rows = np.zeros([len(lengths), lengths.max()], np.int64)
    rows[np.arange(rows.shape[1]) < lengths[:, None]] = items
    return rows


def windows(split: Split, L: int, T: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All windows of train: user [W], sequence [W, L], targets [W, T]; padded as in `components.model.windows`."""
    users, sequences, targets = [], [], []
    for user in range(split.n_users):
        history = split.train[split.train_start[user] : split.train_start[user + 1]]
        if len(history) < L + T:
            first = min(max(len(history) - T, 1), L)
            inside, after = history[:first], history[first : first + T]
            history = np.concatenate([np.zeros(L - first, int), inside, after, np.zeros(T - len(after), int)])
        cut = np.lib.stride_tricks.sliding_window_view(history, L + T)
        users.append(np.full(len(cut), user + 2))
        sequences.append(cut[:, :L])
        targets.append(cut[:, L:])
    return tuple(np.concatenate(parts).astype(np.int32) for parts in (users, sequences, targets))  # type: ignore


def last_window(split: Split, L: int) -> np.ndarray:
    """The newest L items of every user's train part; int32 [users, L], padded on the left."""
    rows = np.zeros([split.n_users, L], np.int32)
    for user, row in enumerate(rows):
        history = split.train[split.train_start[user] : split.train_start[user + 1]][-L:]
        row[L - len(history) :] = history
    return rows


def write_repeated(data: Path, times: int, file: Path) -> None:
    """Writes `data` with every user `times` times under new ids; half of the items of a copy are new, too."""
    header, *lines = data.read_text().splitlines()
    rows = [line.split(",", 2) for line in lines]
    items = sorted({item for _, item, _ in rows})
    with file.open("w") as output:
        output.write(header + "\n")
        for copy in range(times):
            renewed = np.random.default_rng(copy).random(len(items)) < (0.5 if copy else 0)
            name = {item: f"{item}-{copy}" if new else item for item, new in zip(items, renewed, strict=True)}
            output.writelines(f"{copy}-{user},{name[item]},{rest}\n" for user, item, rest in rows)
