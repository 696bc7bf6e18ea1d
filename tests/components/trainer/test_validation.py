"""Validation while training equals the evaluation of what is exported."""

import tensorflow as tf

from components.example_gen.raw_examples import read_raw_examples


def write(path, records):
    with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions(compression_type="GZIP")) as writer:
        for record in records:
            writer.write(record)
    return str(path)


def test_users_come_in_one_order_whatever_the_files(tmp_path):
    one = [write(tmp_path / "a.gz", [b"3", b"1", b"2"])]
    several = [write(tmp_path / "b.gz", [b"2"]), write(tmp_path / "c.gz", [b"1", b"3"])]
    assert read_raw_examples(one).tolist() == read_raw_examples(several).tolist() == [b"1", b"2", b"3"]


def test_a_split_without_anybody_is_empty(tmp_path):
    assert len(read_raw_examples([write(tmp_path / "a.gz", [])])) == len(read_raw_examples([])) == 0
