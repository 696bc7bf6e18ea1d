"""The Beam pipeline of ExampleGen: files -> Arrow batches per shard of users -> histories -> files of Examples.

An element is a file, a batch of many rows, or a shard, never a single interaction or user.
"""

from __future__ import annotations

import itertools
import json
import os
import zlib
from collections.abc import Iterable, Iterator

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from components.errors import UserError
from components.example_gen.counts import COUNTS_FILE, Counts, add_counts, counts_json
from components.example_gen.histories import Histories, build_histories
from components.example_gen.input_files import total_bytes
from components.example_gen.raw_examples import serialize_example
from components.example_gen.readers.ids import NULL_WORDS
from components.example_gen.readers.quarantine import QUARANTINE_FILE, BadRow, check_bad_row_fraction, to_csv
from components.example_gen.readers.reader import read_interactions
from components.example_gen.readers.row_checks import Interactions
from components.example_gen.settings import MAX_SHARDS, DataSettings, HistorySettings, SplitSettings
from components.example_gen.shards import write_shard
from components.example_gen.splits import nothing_to_evaluate_on, split_boundaries
from components.features import TEST, TRAIN, VALID
from components.files import write_text

# Input bytes per shard of users; a shard is processed in memory by one worker.
_SHARD_BYTES = 8 << 20
_FILE_NAME = "data_tfrecord"

_NULL_WORDS = pa.array([word.encode() for word in NULL_WORDS], pa.binary())

_BATCHES, _COUNTS, _BAD, _ITEM_COUNTS = "batches", "counts", "bad", "item_counts"


def write_examples(
    pipeline: beam.Pipeline,
    files: list[str],
    data: DataSettings,
    histories: HistorySettings,
    split: SplitSettings,
    split_dirs: dict[str, str],
    counts_dir: str,
    quarantine_dir: str,
) -> None:
    """Adds the steps of ExampleGen to a Beam pipeline.

    Args:
        pipeline: Beam pipeline.
        files: from `input_files`.
        data: how files are read.
        histories: how interactions are filtered and ordered.
        split: how histories are split.
        split_dirs: directory by split.
        counts_dir: directory for `counts.json`.
        quarantine_dir: directory for `bad_rows.csv`, written if there are bad rows.
    """
    shards = data.shards or int(np.clip(total_bytes(files) // _SHARD_BYTES, 1, MAX_SHARDS))

    read = (
        pipeline
        | "Files" >> beam.Create(list(enumerate(files)))
        | "SpreadFiles" >> beam.Reshuffle()
        | "Read" >> beam.ParDo(_Read(data, shards)).with_outputs(_COUNTS, _BAD, _ITEM_COUNTS, main=_BATCHES)
    )
    rare = (
        beam.pvalue.AsSingleton(
            read[_ITEM_COUNTS]
            | "AllItemCounts" >> beam.CombineGlobally(_SumItemCounts())
            | "RareItems" >> beam.Map(_rare_items, histories.min_item_interactions)
        )
        if histories.min_item_interactions > 1
        else None
    )
    # So that every shard has a file, even without users.
    shard_numbers = pipeline | "Shards" >> beam.Create([(shard, b"") for shard in range(shards)])
    counts_of_shards = (
        (read[_BATCHES], shard_numbers)
        | "BatchesAndShards" >> beam.Flatten()
        | "GroupByShard" >> beam.GroupByKey()
        | "WriteExamples" >> beam.ParDo(_WriteExamples(histories, split, _has_times(data), split_dirs, shards), rare)
    )
    counts = (
        (read[_COUNTS], counts_of_shards)
        | "Counts" >> beam.Flatten()
        | "AllCounts" >> beam.CombineGlobally(_AddCounts())
    )
    _ = (
        pipeline
        | "Once" >> beam.Create([files])
        | "WriteCounts"
        >> beam.ParDo(
            _WriteCounts(data, split, counts_dir, quarantine_dir),
            beam.pvalue.AsSingleton(counts),
            beam.pvalue.AsList(read[_BAD]),
        )
    )


class _Read(beam.DoFn):
    """(index, path) of a file -> (shard, Arrow table as bytes)."""

    def __init__(self, data: DataSettings, shards: int) -> None:
        self._data, self._shards = data, shards

    def process(self, file: tuple[int, str]) -> Iterator[object]:
        index, path = file
        # Beam would decompress by file extension, and would end a damaged stream silently.
        with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as stream:
            for batch in read_interactions(stream, path, self._data):
                counts = Counts(rows_read=batch.rows_read, filtered_rows=batch.filtered, bad_rows=len(batch.bad))
                if len(batch.time):
                    counts = counts._replace(first_time=int(batch.time.min()), last_time=int(batch.time.max()))
                items = _item_counts(batch.item)
                yield beam.pvalue.TaggedOutput(_COUNTS, counts._replace(null_words=self._null_words(batch.user, items)))
                for bad in batch.bad:
                    yield beam.pvalue.TaggedOutput(_BAD, tuple(bad))
                yield beam.pvalue.TaggedOutput(_ITEM_COUNTS, items)
                yield from self._by_shard(batch, index)

    def _null_words(self, users: pa.Array, items: dict[bytes, int]) -> dict[str, int]:
        """Rows whose id stands for a missing value in many exports."""
        found = _item_counts(users.filter(pc.is_in(users, value_set=_NULL_WORDS)))
        columns = {
            self._data.user_column: found,
            self._data.item_column: {word: items[word] for word in _NULL_WORDS.to_pylist() if word in items},
        }
        return {
            f"{column}={word.decode()}": count for column, counts in columns.items() for word, count in counts.items()
        }

    def _by_shard(self, batch: Interactions, file: int) -> Iterator[tuple[int, bytes]]:
        users = batch.user.dictionary_encode()
        # Unlike hash(), the same in every process.
        shard_of_user = np.array([zlib.crc32(user) for user in users.dictionary.to_pylist()], np.int64) % self._shards
        shard = shard_of_user[np.asarray(users.indices)]
        order = np.argsort(shard, kind="stable")
        table = pa.table(
            {
                "user": batch.user,
                "item": batch.item,
                "time": batch.time,
                "file": np.full(len(order), file, np.int32),
                "row": batch.row,
            }
        ).take(pa.array(order))
        edges = np.searchsorted(shard[order], np.arange(self._shards + 1))
        for key, (start, end) in enumerate(itertools.pairwise(edges)):
            if end > start:
                yield key, _to_bytes(table.slice(start, end - start))


class _WriteExamples(beam.DoFn):
    """(shard, batches) -> a file per split; yields counts."""

    def __init__(
        self,
        histories: HistorySettings,
        split: SplitSettings,
        has_times: bool,
        split_dirs: dict[str, str],
        shards: int,
    ) -> None:
        self._histories, self._split, self._has_times = histories, split, has_times
        self._split_dirs, self._shards = split_dirs, shards

    def process(self, element: tuple[int, Iterable[bytes]], rare: set[bytes] | None) -> Iterator[Counts]:
        shard, batches = element
        tables = [_from_bytes(batch) for batch in batches if batch]
        examples: dict[str, list[bytes]] = {name: [] for name in self._split_dirs}
        if tables:
            yield self._make_examples(pa.concat_tables(tables).combine_chunks(), rare, examples)
        for name, directory in self._split_dirs.items():
            write_shard(directory, _FILE_NAME, shard, self._shards, examples[name])

    def _make_examples(self, table: pa.Table, rare: set[bytes] | None, examples: dict[str, list[bytes]]) -> Counts:
        """Adds serialized Examples, sorted by user, to `examples` by split."""
        users, user = _codes(table["user"])
        items, item = _codes(table["item"])
        rare_item = np.array([token in rare for token in items], bool) if rare else np.zeros(len(items), bool)
        time, file, row = (np.asarray(table[name]) for name in ("time", "file", "row"))
        result = build_histories(user, item, time, file, row, rare_item, self._histories)
        first, second = split_boundaries(np.diff(result.start), self._split)
        tokens = [items[code] for code in result.item]
        for index, start in enumerate(result.start[:-1]):
            history = tokens[start : result.start[index + 1]]
            user_id, a, b = users[result.user[index]], first[index], second[index]
            for name, before, after in ((TRAIN, a, a), (VALID, a, b), (TEST, b, len(history))):
                if name == TRAIN or after > before:
                    examples[name].append(serialize_example(user_id, history[:before], history[before:after]))
        return self._counts(result, first, second, items)

    def _counts(self, histories: Histories, first: np.ndarray, second: np.ndarray, items: list[bytes]) -> Counts:
        lengths = np.diff(histories.start)
        held_out = {TRAIN: first, VALID: second - first, TEST: lengths - second}
        return Counts(
            users=len(lengths),
            interactions=len(histories.item),
            items=frozenset(items[code] for code in np.unique(histories.item)),
            dropped=histories.dropped,
            ties=histories.ties if self._has_times else 0,
            split_users={name: int((sizes > 0).sum()) for name, sizes in held_out.items() if self._split.has(name)},
            split_items={name: int(sizes.sum()) for name, sizes in held_out.items() if self._split.has(name)},
        )


class _WriteCounts(beam.DoFn):
    """Writes `counts.json` and the quarantine file; fails if there are too many bad rows or no users left."""

    def __init__(self, data: DataSettings, split: SplitSettings, counts_dir: str, quarantine_dir: str) -> None:
        self._data, self._split = data, split
        self._counts_dir, self._quarantine_dir = counts_dir, quarantine_dir

    def process(self, files: list[str], counts: Counts, bad_rows: list[tuple]) -> None:
        bad = [BadRow(*row) for row in bad_rows]
        quarantine = os.path.join(self._quarantine_dir, QUARANTINE_FILE)
        if bad:
            tf.io.gfile.makedirs(self._quarantine_dir)
            write_text(quarantine, to_csv(bad))
        elif tf.io.gfile.exists(quarantine):  # from an earlier run on other data
            tf.io.gfile.remove(quarantine)
        check_bad_row_fraction(bad, counts.rows_read, self._data, quarantine)
        if not counts.users:
            raise UserError(no_users_left(counts.dropped))
        if not counts.split_users[self._split.evaluated]:
            raise UserError(nothing_to_evaluate_on(self._split))
        text = json.dumps({"files": files, **counts_json(counts)}, indent=1)
        tf.io.gfile.makedirs(self._counts_dir)
        write_text(os.path.join(self._counts_dir, COUNTS_FILE), text)


def _has_times(data: DataSettings) -> bool:
    return data.time_column is not None and data.format != "sequences"


def no_users_left(dropped: dict[str, int]) -> str:
    """The error message if no user is left; `dropped` counts interactions by rule."""
    rules = ", ".join(f"histories.{rule}: {count:,}" for rule, count in dropped.items() if count) or "none"
    hint = "Hint: relax these settings, or provide more data."
    return f"No user has enough interactions left. Dropped by rule: {rules}. {hint}"


def _codes(column: pa.ChunkedArray) -> tuple[list[bytes], np.ndarray]:
    """Distinct values in ascending order, and each row's index into them."""
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    values = encoded.dictionary.to_pylist()
    order = sorted(range(len(values)), key=values.__getitem__)
    rank = np.empty(len(values), np.int64)
    rank[order] = np.arange(len(values))
    return [values[index] for index in order], rank[np.asarray(encoded.indices)]


def _item_counts(items: pa.Array) -> dict[bytes, int]:
    counts = pc.value_counts(items)
    return dict(zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True))


def _rare_items(counts: dict[bytes, int], threshold: int) -> set[bytes]:
    return {item for item, count in counts.items() if count < threshold}


class _SumItemCounts(beam.CombineFn):
    """Sums dicts of counts."""

    def create_accumulator(self) -> dict[bytes, int]:
        return {}

    def add_input(self, accumulator: dict[bytes, int], counts: dict[bytes, int]) -> dict[bytes, int]:
        for item, count in counts.items():
            accumulator[item] = accumulator.get(item, 0) + count
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[dict[bytes, int]]) -> dict[bytes, int]:
        merged: dict[bytes, int] = {}
        for accumulator in accumulators:
            self.add_input(merged, accumulator)
        return merged

    def extract_output(self, accumulator: dict[bytes, int]) -> dict[bytes, int]:
        return accumulator


class _AddCounts(beam.CombineFn):
    """Adds `Counts`."""

    def create_accumulator(self) -> Counts:
        return Counts()

    def add_input(self, accumulator: Counts, counts: Counts) -> Counts:
        return add_counts(accumulator, counts)

    def merge_accumulators(self, accumulators: Iterable[Counts]) -> Counts:
        merged = Counts()
        for accumulator in accumulators:
            merged = add_counts(merged, accumulator)
        return merged

    def extract_output(self, accumulator: Counts) -> Counts:
        return accumulator


def _to_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    # Runners hold what is grouped, some of them several times: a third of the bytes for little time.
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _from_bytes(batch: bytes) -> pa.Table:
    return pa.ipc.open_stream(batch).read_all()
