"""The Beam pipeline of batch recommendations: files of Examples -> groups of users -> tables -> files."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import apache_beam as beam
import pyarrow as pa
import tensorflow as tf
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.parquetio import WriteToParquetBatched
from apache_beam.ml.inference.base import RunInference

from components.batch_recommender.model_handler import SCHEMA, CaserModelHandler
from components.batch_recommender.settings import BatchFormat
from components.example_gen.raw_examples import parse_raw_examples, serialize_example

_USERS_AT_A_TIME = 512


class BatchOutput(NamedTuple):
    """Files to write.

    Attributes:
        path: beginning of their names, or the file itself if there is a single one.
        format: parquet, or jsonl.
        single_file: whether to write one file.
    """

    path: str
    format: BatchFormat
    single_file: bool = False


def recommend_for_all(
    pipeline: beam.Pipeline,
    files: Sequence[str],
    model_dir: str,
    k: int,
    output: BatchOutput,
    users: Iterable[bytes] | None = None,
    whole: bool = True,
) -> None:
    """Adds the steps to a Beam pipeline.

    Args:
        pipeline: Beam pipeline.
        files: gzipped TFRecord files of raw Examples.
        model_dir: directory of the SavedModel, or its URI.
        k: number of recommendations per user.
        output: files to write.
        users: only these users; None: all.
        whole: whether each user is in one Example, with the complete history; else the files are those of several
            splits, and the history of a user is that of the longest Example, held-out items included.
    """
    wanted = None if users is None else frozenset(users)
    groups = pipeline | "Files" >> beam.Create(list(files)) | "SpreadFiles" >> beam.Reshuffle()
    if whole:
        groups |= "Read" >> beam.ParDo(_ReadGroups(wanted))
    else:
        groups = (
            groups
            | "ReadAllSplits" >> beam.ParDo(_ReadHistories(wanted))
            | "LongestHistories" >> beam.CombinePerKey(_longest)
            | "ToExamples" >> beam.MapTuple(lambda user, items: serialize_example(user, items, []))
            | "Group" >> beam.BatchElements(_USERS_AT_A_TIME, _USERS_AT_A_TIME)
        )
    tables = groups | "Recommend" >> RunInference(CaserModelHandler(model_dir, k))
    shards, template = (1, "") if output.single_file else (0, None)
    suffix = "" if output.single_file else f".{output.format}"
    if output.format == "parquet":
        _ = tables | "Write" >> WriteToParquetBatched(
            output.path, SCHEMA, "zstd", file_name_suffix=suffix, num_shards=shards, shard_name_template=template
        )
        return
    _ = (
        tables
        | "ToJson" >> beam.FlatMap(_json_lines)
        | "Write"
        >> beam.io.WriteToText(
            output.path,
            suffix,
            num_shards=shards,
            shard_name_template=template,
            compression_type=CompressionTypes.UNCOMPRESSED,
        )
    )


class _ReadGroups(beam.DoFn):
    """A file -> groups of serialized Examples."""

    def __init__(self, wanted: frozenset[bytes] | None) -> None:
        self._wanted = wanted

    def process(self, file: str) -> Iterator[list[bytes]]:
        for batch in _read(file):
            examples = batch.numpy().tolist()
            if self._wanted is not None:
                users = parse_raw_examples(batch).user_id.numpy().tolist()
                examples = [text for text, user in zip(examples, users, strict=True) if user in self._wanted]
            if examples:
                yield examples


class _ReadHistories(beam.DoFn):
    """A file -> users with their history."""

    def __init__(self, wanted: frozenset[bytes] | None) -> None:
        self._wanted = wanted

    def process(self, file: str) -> Iterator[tuple[bytes, list[bytes]]]:
        for batch in _read(file):
            parsed = parse_raw_examples(batch)
            histories = tf.concat([parsed.item_ids, parsed.holdout], axis=1).to_list()
            for user, items in zip(parsed.user_id.numpy().tolist(), histories, strict=True):
                if self._wanted is None or user in self._wanted:
                    yield user, items


def _read(file: str) -> Iterator[tf.Tensor]:
    yield from tf.data.TFRecordDataset(file, compression_type="GZIP").batch(_USERS_AT_A_TIME)


def _longest(histories: Iterable[list[bytes]]) -> list[bytes]:
    return max(itertools.chain(histories, [[]]), key=len)


def _json_lines(table: pa.Table) -> Iterator[str]:
    return (json.dumps(row, ensure_ascii=False) for row in table.to_pylist())
