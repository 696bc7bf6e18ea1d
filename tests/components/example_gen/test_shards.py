"""Files of a split."""

import pytest
import tensorflow as tf

from components.example_gen.raw_examples import read_split
from components.example_gen.shards import write_shard


def test_shard_written_again_replaces_the_first_one(tmp_path):
    for records in ([b"a", b"b"], [b"a", b"b"]):
        write_shard(str(tmp_path / "split"), "data", 1, 3, records)
    assert [path.name for path in tmp_path.rglob("*")] == ["split", "data-00001-of-00003.gz"]
    assert list(read_split(str(tmp_path / "split")).as_numpy_iterator()) == [b"a", b"b"]


def test_interrupted_shard_leaves_nothing(tmp_path):
    def records():
        yield b"a"
        assert not list((tmp_path / "split").iterdir())  # nor would a worker that is killed here
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_shard(str(tmp_path / "split"), "data", 0, 1, records())
    assert [path.name for path in tmp_path.rglob("*")] == ["split"]


def test_shard_without_records_is_an_empty_file(tmp_path):
    write_shard(str(tmp_path / "new"), "data", 0, 1, [])
    (file,) = (tmp_path / "new").iterdir()
    assert list(tf.data.TFRecordDataset([str(file)], "GZIP")) == []
