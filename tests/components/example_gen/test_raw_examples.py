"""Reading a split of raw Examples."""

import tensorflow as tf

from components.example_gen.raw_examples import read_split


def split(folder, **files):
    """A split whose gzipped TFRecord files have these records."""
    folder.mkdir()
    for name, records in files.items():
        with tf.io.TFRecordWriter(str(folder / f"{name}.gz"), "GZIP") as writer:
            for record in records:
                writer.write(record)
    return str(folder)


def test_users_of_a_split_are_in_the_order_of_its_files(tmp_path):
    several = split(tmp_path / "several", b=[b"1", b"3"], a=[b"2"])
    assert list(read_split(several).as_numpy_iterator()) == [b"2", b"1", b"3"]


def test_split_without_users_is_empty(tmp_path):
    assert list(read_split(split(tmp_path / "empty", a=[]))) == list(read_split(str(tmp_path / "absent"))) == []
