"""Training windows that do not fit into memory: some shards of Transform at a time."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from components.errors import UserError
from components.example_gen.settings import MAX_SHARDS
from components.memory import gigabytes
from components.model.window_settings import WindowSettings
from components.trainer.windows import TrainingPart, TrainingWindows, Windows, steps_of
from components.transform.histories import EncodedHistories, concatenate, read_histories

_log = logging.getLogger(__name__)

# Measured: histories, the order of their windows, and the seen items with what sorting them takes.
_BYTES_PER_INTERACTION = 72
# One is trained on while the next one is read.
_PARTS_IN_MEMORY = 2
_PASSES = 8
# Shards differ in size.
_UNEVEN = 1.25


class Part(NamedTuple):
    """Shards that are read together: their files, and the number of windows, users and bytes in memory."""

    files: list[str]
    windows: int
    users: int
    bytes: int

    def plus(self, other: Part) -> Part:
        """Both together."""
        return Part(
            [*self.files, *other.files],
            self.windows + other.windows,
            self.users + other.users,
            self.bytes + other.bytes,
        )


class StreamedWindows:
    """Windows of some shards at a time.

    An epoch passes several times over all parts, each time with another random share of their windows: with a single
    pass, the windows of a user would come all at once, which costs a few percent of the metrics. Reading takes a small
    part of the time of training, even so.
    """

    def __init__(
        self, parts: Sequence[Part], feature_spec: dict[str, Any], settings: WindowSettings, T: int | None = None
    ) -> None:
        """Remembers where the windows are.

        Args:
            parts: at least one.
            feature_spec: from `TFTransformOutput.transformed_feature_spec()`.
            settings: shape of the windows.
            T: number of targets in a batch, at most that of the settings; None: all.
        """
        self._parts, self._feature_spec, self._settings, self._T = parts, feature_spec, settings, T

    def __len__(self) -> int:
        """Number of windows."""
        return sum(part.windows for part in self._parts)

    @property
    def users(self) -> int:
        """Number of users with windows."""
        return sum(part.users for part in self._parts)

    @property
    def note(self) -> str:
        """What to know about the training."""
        bytes_, parts = sum(part.bytes for part in self._parts), len(self._parts)
        return (
            f"Training data was read in {parts} parts, since all of it takes {gigabytes(bytes_)} in memory "
            "(trainer.max_memory_gb)."
        )

    def with_targets(self, T: int) -> StreamedWindows:
        """See `TrainingWindows`."""
        return StreamedWindows(self._parts, self._feature_spec, self._settings, T)

    def parts(self, batch_size: int, seed: int) -> Iterator[TrainingPart]:
        """See `TrainingWindows`."""
        rng = np.random.default_rng(seed)
        shares = [(share, index) for share in range(_PASSES) for index in rng.permutation(len(self._parts))]
        # One share is trained on while the next one is read.
        with ThreadPoolExecutor(1) as reader:
            following = reader.submit(self._read, *shares[0], batch_size, seed)
            for share, index in shares[1:]:
                part = following.result()
                following = reader.submit(self._read, share, index, batch_size, seed)
                if part.steps:
                    yield part
            if (part := following.result()).steps:
                yield part

    def steps(self, batch_size: int) -> int:
        """See `TrainingWindows`."""
        sizes = (len(range(share, part.windows, _PASSES)) for part in self._parts for share in range(_PASSES))
        return sum(steps_of(size, batch_size) for size in sizes)

    def _read(self, share: int, index: int, batch_size: int, seed: int) -> TrainingPart:
        histories = read_histories(self._parts[index].files, self._feature_spec)
        windows = Windows(histories, self._settings, self._T)
        return windows.part(windows.shuffled([seed, index])[share::_PASSES], batch_size)


def read_windows(
    patterns: list[str], feature_spec: dict[str, Any], settings: WindowSettings, max_memory_gb: float
) -> TrainingWindows:
    """Reads transformed Examples; the result does not depend on the order in which Beam wrote them.

    Args:
        patterns: file patterns of the transformed `train` split.
        feature_spec: from `TFTransformOutput.transformed_feature_spec()`.
        settings: shape of the windows.
        max_memory_gb: memory for histories, windows and seen items.

    Returns:
        All windows in memory if they fit, else as a stream.

    Raises:
        UserError: there are no windows, or two shards do not fit into memory.
    """
    files = sorted(file for pattern in patterns for file in tf.io.gfile.glob(pattern))
    limit, in_memory, shards = max_memory_gb * 1e9, list[EncodedHistories](), list[Part]()
    for file in files:
        histories = read_histories([file], feature_spec)
        windows = Windows(histories, settings)
        shards.append(Part([file], len(windows), windows.users, _BYTES_PER_INTERACTION * len(histories.item)))
        # The histories themselves are a small part of it, so counting on is no danger.
        in_memory = [*in_memory, histories] if sum(shard.bytes for shard in shards) <= limit else []
    if not sum(shard.windows for shard in shards):
        raise UserError(
            "No user has two interactions in the train split. Hint: provide more data, or relax `histories`."
        )
    if in_memory:
        return Windows(concatenate(in_memory), settings)
    stream = StreamedWindows(_parts(shards, limit / _PARTS_IN_MEMORY, max_memory_gb), feature_spec, settings)
    _log.info(stream.note)
    return stream


def _parts(shards: list[Part], limit: float, max_memory_gb: float) -> list[Part]:
    """Consecutive shards, as many as fit."""
    largest = max(shard.bytes for shard in shards)
    if largest > limit:
        needed = math.ceil(len(shards) * largest / limit * _UNEVEN)
        smaller = f"--set data.shards={needed}, or " if needed <= MAX_SHARDS else ""
        raise UserError(
            f"A shard of the training data takes {gigabytes(largest)} in memory, more than half of "
            f"trainer.max_memory_gb={max_memory_gb:.3g}. Hint: {smaller}a larger trainer.max_memory_gb."
        )
    parts = [shards[0]]
    for shard in shards[1:]:
        if parts[-1].bytes + shard.bytes <= limit:
            parts[-1] = parts[-1].plus(shard)
        else:
            parts.append(shard)
    return [part for part in parts if part.windows]
