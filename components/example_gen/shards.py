"""Files of a split: gzipped TFRecords whose number and content do not depend on how Beam splits the work."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable

import tensorflow as tf


def write_shard(directory: str, name: str, shard: int, shards: int, records: Iterable[bytes]) -> None:
    """Writes one file: whole or not at all, and the same again if a worker repeats it.

    Args:
        directory: directory of the split, path or URI.
        name: beginning of the file name.
        shard: number of the file, from 0.
        shards: number of files.
        records: serialized Examples.
    """
    tf.io.gfile.makedirs(directory)
    file = os.path.join(directory, f"{name}-{shard:05d}-of-{shards:05d}.gz")
    # Not beside the others: after a lost worker, readers of the directory would take it for a shard.
    unfinished = os.path.join(os.path.dirname(directory.rstrip("/")), f".{uuid.uuid4().hex}")
    try:
        with tf.io.TFRecordWriter(unfinished, "GZIP") as writer:
            for record in records:
                writer.write(record)
        tf.io.gfile.rename(unfinished, file, overwrite=True)
    except BaseException:
        if tf.io.gfile.exists(unfinished):
            tf.io.gfile.remove(unfinished)
        raise
