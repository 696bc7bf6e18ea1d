"""Training data as a stream: the same windows, some shards at a time."""

import numpy as np
import pytest
import tensorflow as tf

from components.errors import UserError
from components.example_gen.shards import write_shard
from components.model.window_settings import WindowSettings
from components.trainer.streamed_windows import StreamedWindows, read_windows
from components.trainer.windows import Windows

SPEC = {
    "user": tf.io.FixedLenFeature([], tf.int64),
    "history": tf.io.RaggedFeature(tf.int64, "values", row_splits_dtype=tf.int64),
}
SETTINGS = WindowSettings(L=2, T=1)
BYTES = 72  # per interaction
SHARDS, USERS, LENGTH = 8, 10, 12


def example(user, history):
    features = {"user": [user], "values": history}
    return tf.train.Example(
        features=tf.train.Features(
            feature={
                name: tf.train.Feature(int64_list=tf.train.Int64List(value=values)) for name, values in features.items()
            }
        )
    ).SerializeToString()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Eight shards of ten users with twelve items each."""
    folder = tmp_path_factory.mktemp("shards")
    items = np.random.default_rng(1).integers(2, 50, [SHARDS * USERS, LENGTH]).tolist()
    for shard in range(SHARDS):
        users = range(shard, SHARDS * USERS, SHARDS)
        write_shard(f"{folder}/split", "t", shard, SHARDS, [example(user + 2, items[user]) for user in users])
    return [f"{folder}/split/*"]


def gigabytes(shards):
    """Memory for so many shards, two at a time."""
    return 2 * (shards + 0.01) * USERS * LENGTH * BYTES / 1e9


def contents(windows, seed=1, batch_size=1):
    """All windows, sorted, and the users of each part in the order of an epoch."""
    found, users = [], []
    for part in windows.parts(batch_size, seed):
        users.append(sorted(set(part.histories.user.tolist())))
        for batch in part.batches.unbatch().batch(1000):
            found += list(zip(*(column.numpy().tolist() for column in batch), strict=True))
    return sorted(found), users


@pytest.mark.parametrize(("shards", "parts"), [(2, 4), (3.9, 3)])
def test_stream_has_the_windows_of_the_data_in_memory(files, shards, parts):
    whole = read_windows(files, SPEC, SETTINGS, max_memory_gb=1)
    assert isinstance(whole, Windows)
    stream = read_windows(files, SPEC, SETTINGS, gigabytes(shards))
    assert isinstance(stream, StreamedWindows)
    windows, users = contents(stream)
    assert windows == contents(whole)[0]
    assert (len(stream), stream.users) == (len(whole), whole.users) == (SHARDS * USERS * (LENGTH - 1), SHARDS * USERS)
    assert max(map(len, users)) <= shards * USERS
    # Each pass of an epoch sees all users, some at a time.
    passes = np.array_split(np.arange(len(users)), len(users) // parts)
    assert len(passes) == 8
    for rows in passes:
        assert sorted(user for row in rows for user in users[row]) == list(range(2, SHARDS * USERS + 2))


def test_note_tells_how_the_data_was_read(files):
    note = read_windows(files, SPEC, SETTINGS, gigabytes(1)).note
    assert note.startswith("Training data was read in 8 parts, since all of it takes 6.91e-05 GB in memory")


def test_each_epoch_has_its_own_order_of_parts(files):
    stream = read_windows(files, SPEC, SETTINGS, gigabytes(3))

    def users(seed):
        return [part.histories.user.tolist() for part in stream.parts(64, seed)]

    first, again, second = users(1), users(1), users(2)
    assert first == again != second
    assert sorted(first) == sorted(second)


def test_steps_are_those_of_the_parts(files):
    stream = read_windows(files, SPEC, SETTINGS, gigabytes(3))
    for batch_size in (7, 1000):
        parts = list(stream.parts(batch_size, seed=1))
        assert stream.steps(batch_size) == sum(part.steps for part in parts)
        assert all(part.batches.cardinality() == part.steps for part in parts)


def test_stream_has_fewer_targets_on_request(files):
    stream = read_windows(files, SPEC, WindowSettings(L=2, T=3), gigabytes(1))
    part = next(stream.with_targets(1).parts(batch_size=4, seed=1))
    assert part.batches.element_spec.targets.shape == [4, 1]


def test_shard_too_large_for_the_memory_is_refused_with_a_hint_that_works(files):
    limit = gigabytes(0.5)
    with pytest.raises(UserError, match=r"--set data\.shards=20, or a larger trainer\.max_memory_gb") as error:
        read_windows(files, SPEC, SETTINGS, limit)
    assert "8.64e-06 GB in memory, more than half of trainer.max_memory_gb=8.81e-06" in str(error.value)
    with pytest.raises(UserError, match=r"Hint: a larger trainer\.max_memory_gb\.$"):
        read_windows(files, SPEC, SETTINGS, limit / 1000)


def test_no_windows_is_an_error(tmp_path):
    write_shard(f"{tmp_path}/split", "t", 0, 1, [example(1, [3])])
    with pytest.raises(UserError, match="No user has two interactions"):
        read_windows([f"{tmp_path}/split/*"], SPEC, SETTINGS, 1)
