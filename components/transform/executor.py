"""TFX's Transform executor, which writes as many shards as it reads."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa
import tensorflow as tf
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx.components.transform import executor
from tfx.types import artifact_utils
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

from components.example_gen.shards import write_shard
from components.features import TRAIN


class Executor(executor.Executor):
    """Shards have the same content however Beam splits the work, and any number of workers can write them."""

    def Do(  # noqa: N802 -- named by TFX
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs Transform."""
        shards = len(tf.io.gfile.glob(f"{artifact_utils.get_split_uri(input_dict['examples'], TRAIN)}/*"))
        with _processor(functools.partial(_Processor, shards)):
            super().Do(input_dict, output_dict, exec_properties)


@contextlib.contextmanager
def _processor(create: Callable[[], executor.TransformProcessor]) -> Iterator[None]:
    """TFX's executor creates its processor by this name, and has no other way to say how to write."""
    original = executor.TransformProcessor
    setattr(executor, original.__name__, create)
    try:
        yield
    finally:
        setattr(executor, original.__name__, original)


class _Processor(executor.TransformProcessor):
    def __init__(self, shards: int) -> None:
        self._shards = shards

    def _EncodeAndWrite(  # type: ignore[override]  # noqa: N802 -- named by TFX
        self, schema: schema_pb2.Schema, file_format: str, output_path: str
    ) -> beam.PTransform:
        return _WriteShards(schema, output_path, self._shards)


class _WriteShards(beam.PTransform):
    """Record batches of transformed Examples -> files."""

    def __init__(self, schema: schema_pb2.Schema, output_path: str, shards: int) -> None:
        super().__init__()
        self._schema, self._output_path, self._shards = schema, output_path, shards

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        # So that every shard has a file, even without users.
        shards = batches.pipeline | "Shards" >> beam.Create([(shard, []) for shard in range(self._shards)])
        encoded = batches | "Encode" >> beam.ParDo(_Encode(self._schema, self._shards))
        return (
            (encoded, shards)
            | "ExamplesAndShards" >> beam.Flatten()
            | "GroupByShard" >> beam.GroupByKey()
            | "Write" >> beam.ParDo(_Write(self._output_path, self._shards))
        )


class _Encode(beam.DoFn):
    """A record batch -> (shard, serialized Examples)."""

    def __init__(self, schema: schema_pb2.Schema, shards: int) -> None:
        # Encoders cannot be sent to workers.
        self._schema, self._shards = schema.SerializeToString(), shards

    def setup(self) -> None:
        self._encoder = RecordBatchToExamplesEncoder(schema_pb2.Schema.FromString(self._schema))

    def process(self, element: tuple[pa.RecordBatch, Any]) -> Iterator[tuple[int, list[bytes]]]:
        by_shard: dict[int, list[bytes]] = {}
        for example in self._encoder.encode(element[0]):
            by_shard.setdefault(zlib.crc32(example) % self._shards, []).append(example)
        yield from by_shard.items()


class _Write(beam.DoFn):
    """(shard, serialized Examples) -> a file."""

    def __init__(self, output_path: str, shards: int) -> None:
        self._directory, self._name = os.path.split(output_path)
        self._shards = shards

    def process(self, element: tuple[int, Iterable[list[bytes]]]) -> None:
        shard, examples = element
        write_shard(self._directory, self._name, shard, self._shards, sorted(itertools.chain.from_iterable(examples)))
