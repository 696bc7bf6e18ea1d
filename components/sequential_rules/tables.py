"""Rule tables: the strongest followers of each item, the part of the counts that a model can carry."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy import sparse
from tfx.dsl.io import fileio
from tfx.utils import io_utils


class RuleTables(NamedTuple):
    """A sparse matrix of rules; row h holds the followers of item column h, by descending weight.

    Attributes:
        start: int64 [n_items + 1]; row h is `follower[start[h]:start[h + 1]]`.
        follower: int32 [M], item columns, from 0.
        weight: float32 [M], above 0.
        history: number of most recent items of a user that are used.
        history_decay: the k-th most recent item has weight k ** -history_decay.
    """

    start: np.ndarray
    follower: np.ndarray
    weight: np.ndarray
    history: int
    history_decay: float

    @property
    def n_items(self) -> int:
        """Number of items in the catalogue."""
        return len(self.start) - 1


def strongest_followers(
    counts: sparse.csr_matrix, max_followers: int, history: int, history_decay: float
) -> RuleTables:
    """Keeps the followers with the highest weight of each item; equal weights in column order, that of popularity.

    Args:
        counts: from `components.sequential_rules.rules.discount`.
        max_followers: maximum number of followers per item.
        history: see `RuleTables`.
        history_decay: see `RuleTables`.
    """
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    order = np.lexsort((counts.indices, -counts.data, row))
    place = np.arange(len(order)) - counts.indptr[row]
    kept = order[place < max_followers]
    start = np.concatenate([[0], np.cumsum(np.minimum(np.diff(counts.indptr), max_followers))])
    return RuleTables(
        start.astype(np.int64),
        counts.indices[kept].astype(np.int32),
        counts.data[kept].astype(np.float32),
        history,
        history_decay,
    )


def concatenate(tables: Iterable[RuleTables]) -> RuleTables:
    """The tables of consecutive blocks of items, at least one, as one.

    Args:
        tables: tables with equal `history` and `history_decay`, whose followers are columns of the whole catalogue.
    """
    parts = list(tables)
    ends = np.cumsum([len(part.follower) for part in parts])
    starts = [part.start[1:] + end - len(part.follower) for part, end in zip(parts, ends, strict=True)]
    return parts[0]._replace(
        start=np.concatenate([[0], *starts]).astype(np.int64),
        follower=np.concatenate([part.follower for part in parts]),
        weight=np.concatenate([part.weight for part in parts]),
    )


def write_tables(tables: RuleTables, path: str) -> None:
    """Writes the tables as a compressed numpy archive.

    Args:
        tables: the tables.
        path: path or URI of the file.
    """
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **tables._asdict())
    io_utils.write_bytes_file(path, buffer.getvalue())


def read_tables(path: str) -> RuleTables:
    """Reads what `write_tables` wrote.

    Args:
        path: path or URI of the file.
    """
    with fileio.open(path, "rb") as file, np.load(io.BytesIO(file.read()), allow_pickle=False) as arrays:
        return RuleTables(
            arrays["start"],
            arrays["follower"],
            arrays["weight"],
            int(arrays["history"]),
            float(arrays["history_decay"]),
        )
