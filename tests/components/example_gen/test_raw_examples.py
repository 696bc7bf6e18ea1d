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


def test_users_of_a_split_are_sorted_however_they_are_spread_over_files(tmp_path):
    one = split(tmp_path / "one", a=[b"3", b"1", b"2"])
    several = split(tmp_path / "several", a=[b"2"], b=[b"1", b"3"])
    assert read_split(one).tolist() == read_split(several).tolist() == [b"1", b"2", b"3"]


def test_split_without_users_is_empty(tmp_path):
    assert len(read_split(split(tmp_path / "empty", a=[]))) == len(read_split(str(tmp_path / "absent"))) == 0
