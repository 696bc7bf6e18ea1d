"""All training windows in memory, shuffled per epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import tensorflow as tf
from tfx.components.trainer.fn_args_utils import DataAccessor
from tfx_bsl.tfxio import dataset_options

from components.errors import UserError
from components.features import POSITION, SEQUENCE, TARGETS, USER

_READ_BATCH = 65_536


class Windows(NamedTuple):
    """All windows in memory, int32: `user` [W], `sequence` [W, L], `targets` [W, T] and `position` [W]."""

    user: np.ndarray
    sequence: np.ndarray
    targets: np.ndarray
    position: np.ndarray

    def epoch(self, batch_size: int, seed: int) -> tf.data.Dataset:
        """One pass over all windows in random order.

        Args:
            batch_size: windows per batch, at most W.
            seed: shuffling seed.

        Returns:
            Batches (user [B], sequence [B, L], targets [B, T], position [B]) of equal size; the last one is filled up
            with windows from the beginning of the order.
        """
        order = np.random.default_rng(seed).permutation(len(self.user))
        steps = self.steps(batch_size)
        order = np.resize(order, steps * batch_size).reshape(steps, batch_size)
        arrays = tuple(tf.constant(array) for array in self)
        return (
            tf.data.Dataset.from_tensor_slices(order)
            .map(lambda rows: tuple(tf.gather(array, rows) for array in arrays), num_parallel_calls=1)
            .prefetch(8)
        )

    @property
    def size(self) -> tuple[int, int]:
        """Number of windows, and of users with windows."""
        return len(self.user), len(np.unique(self.user))

    def with_targets(self, T: int) -> Windows:
        """The same windows with at most the first T targets."""
        return self._replace(targets=self.targets[:, :T])

    def steps(self, batch_size: int) -> int:
        """Number of batches per epoch."""
        return -(-len(self.user) // batch_size)


def read_windows(files: list[str], data_accessor: DataAccessor, schema: object) -> Windows:
    """Reads transformed Examples into memory; the order does not depend on how Beam wrote them.

    Args:
        files: file patterns of the transformed `train` split.
        data_accessor: the Trainer's `fn_args.data_accessor`.
        schema: schema of the transformed Examples.

    Returns:
        The windows, sorted by user and position.

    Raises:
        UserError: there are no windows.
    """
    columns: dict[str, list[np.ndarray]] = {USER: [], SEQUENCE: [], TARGETS: [], POSITION: []}
    for batch in _record_batches(files, data_accessor, schema):
        for name, parts in columns.items():
            values = batch.column(batch.schema.get_field_index(name)).flatten()
            parts.append(np.asarray(values, np.int32).reshape(batch.num_rows, -1))
    if not columns[USER]:
        raise UserError(
            "No user has two interactions in the train split. Hint: provide more data, or relax `histories`."
        )
    user, sequence, targets, position = (np.concatenate(parts) for parts in columns.values())
    order = np.lexsort((position[:, 0], user[:, 0]))
    return Windows(user[order, 0], sequence[order], targets[order], position[order, 0])


def _record_batches(files: list[str], data_accessor: DataAccessor, schema: object) -> Iterator[pa.RecordBatch]:
    options = dataset_options.RecordBatchesOptions(batch_size=_READ_BATCH, num_epochs=1, shuffle=False)
    yield from data_accessor.record_batch_factory(files, options, schema)
