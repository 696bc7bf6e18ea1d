"""All training windows of histories in memory, made when a batch needs them and shuffled per epoch."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from components.features import PADDING
from components.model.window_settings import WindowSettings
from components.model.windows import items_at, window_ranges
from components.transform.histories import EncodedHistories


class WindowBatch(NamedTuple):
    """Windows, int32: `user` [B], `sequence` [B, L], `targets` [B, T], and `position` [B] of the first target."""

    user: tf.Tensor
    sequence: tf.Tensor
    targets: tf.Tensor
    position: tf.Tensor


def steps_of(windows: int, batch_size: int) -> int:
    """Number of batches, the last one filled up."""
    return -(-windows // batch_size)


class TrainingPart(NamedTuple):
    """A part of an epoch: the histories its windows are from, `WindowBatch`es of equal size, and their number."""

    histories: EncodedHistories
    batches: tf.data.Dataset
    steps: int


class TrainingWindows(Protocol):
    """All training windows, in memory or streamed."""

    def __len__(self) -> int:
        """Number of windows."""

    @property
    def users(self) -> int:
        """Number of users with windows."""

    def with_targets(self, T: int) -> TrainingWindows:
        """The same windows with at most the first T targets."""

    def parts(self, batch_size: int, seed: int) -> Iterator[TrainingPart]:
        """One pass over all windows in random order.

        Args:
            batch_size: windows per batch; the last batch of a part is filled up with windows of its first one.
            seed: shuffling seed.
        """

    def steps(self, batch_size: int) -> int:
        """Number of batches per epoch."""


class Windows:
    """The windows of histories, numbered by user and position."""

    def __init__(self, histories: EncodedHistories, settings: WindowSettings, T: int | None = None) -> None:
        """Finds the windows.

        Args:
            histories: training histories, in any order.
            settings: shape of the windows.
            T: number of targets in a batch, at most that of the settings; None: all.
        """
        usable = np.flatnonzero(histories.lengths >= 2)
        self.histories = histories.take(usable[np.argsort(histories.user[usable], kind="stable")])
        self._settings = settings
        self.L, self.T = settings.L, T or settings.most_targets
        self._ranges = window_ranges(
            self.histories.lengths, self.L, settings.most_targets, settings.partial_sequences, settings.partial_targets
        )
        self._first_number = np.concatenate([[0], np.cumsum(self._ranges.windows)])

    def __len__(self) -> int:
        """Number of windows."""
        return int(self._first_number[-1])

    @property
    def users(self) -> int:
        """Number of users; each has a window."""
        return len(self.histories.user)

    def with_targets(self, T: int) -> Windows:
        """The same windows with at most the first T targets."""
        return Windows(self.histories, self._settings, min(T, self.T))

    def parts(self, batch_size: int, seed: int) -> Iterator[TrainingPart]:
        """All windows in one part, see `TrainingWindows`."""
        yield self.part(self.shuffled(seed), batch_size)

    def at(self, numbers: tf.Tensor) -> WindowBatch:
        """Some of the windows.

        Args:
            numbers: int [B], from 0.
        """
        numbers = tf.cast(numbers, tf.int64)
        user, item, start, length, first, first_number = self._tensors
        row = tf.searchsorted(first_number, numbers, side="right") - 1
        position = tf.gather(first, row) + numbers - tf.gather(first_number, row)
        where = item, tf.gather(start, row), tf.gather(length, row)
        before, after = tf.range(-self.L, 0, dtype=tf.int64), tf.range(self.T, dtype=tf.int64)
        return WindowBatch(
            tf.gather(user, row),
            items_at(*where, position[:, tf.newaxis] + before),
            items_at(*where, position[:, tf.newaxis] + after),
            tf.cast(position, tf.int32),
        )

    def shuffled(self, seed: int | list[int]) -> np.ndarray:
        """The numbers of all windows in random order: int [W]."""
        return np.random.default_rng(seed).permutation(np.arange(len(self), dtype=self._number_type))

    def part(self, numbers: np.ndarray, batch_size: int) -> TrainingPart:
        """Some of the windows in batches of equal size.

        Args:
            numbers: int [n], at least one; the last batch is filled up with the first of them.
            batch_size: windows per batch.
        """
        steps = steps_of(len(numbers), batch_size)
        rows = np.resize(numbers, steps * batch_size).reshape(steps, batch_size)
        batches = tf.data.Dataset.from_tensor_slices(rows).map(self.at, num_parallel_calls=1).prefetch(8)
        return TrainingPart(self.histories, batches, steps)

    def steps(self, batch_size: int) -> int:
        """See `TrainingWindows`."""
        return steps_of(len(self), batch_size)

    @property
    def _number_type(self) -> type[np.integer]:
        return np.int32 if len(self) < np.iinfo(np.int32).max else np.int64

    @cached_property
    def _tensors(self) -> tuple[tf.Tensor, ...]:
        user, item, start = self.histories
        # One item at the end, for `items_at`.
        arrays = user, np.append(item, np.int32(PADDING)), start[:-1], self.histories.lengths, self._ranges.first
        with tf.init_scope():  # the first call may be the one that traces `at`
            return tuple(tf.constant(array) for array in (*arrays, self._first_number))
