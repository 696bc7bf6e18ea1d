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
from components.example_gen.counts import COUNTS_FILE, Counts, counts_json, sum_counts
from components.example_gen.histories import Histories, build_histories
from components.example_gen.inputs.id_lists import excluded_users
from components.example_gen.inputs.input_files import total_bytes
from components.example_gen.moments import from_duration, from_iso_8601
from components.example_gen.raw_examples import serialize_example
from components.example_gen.readers.ids import NULL_WORDS
from components.example_gen.readers.quarantine import QUARANTINE_FILE, BadRow, check_bad_row_fraction, to_csv
from components.example_gen.readers.reader import read_interactions
from components.example_gen.readers.row_checks import Interactions
from components.example_gen.settings import MAX_SHARDS, DataSettings, HistorySettings, SplitSettings
from components.example_gen.shards import write_shard
from components.example_gen.splits import TimeRange, nothing_to_evaluate_on, nothing_to_train_on, split_boundaries
from components.features import ALL, TEST, TRAIN, VALID
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
    quarantine_dir: str | None,
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
        quarantine_dir: directory for `bad_rows.csv`, written if there are bad rows; None: no such file.
    """
    excluded = excluded_users(data)
    shards = data.shards or int(np.clip(total_bytes(files) // _SHARD_BYTES, 1, MAX_SHARDS))

    read = (
        pipeline
        | "Files" >> beam.Create(list(enumerate(files)))
        | "SpreadFiles" >> beam.Reshuffle()
        | "Read" >> beam.ParDo(_Read(data, excluded, shards)).with_outputs(_COUNTS, _BAD, _ITEM_COUNTS, main=_BATCHES)
    )
    batches, item_counts, counts_of_rows = read[_BATCHES], read[_ITEM_COUNTS], [read[_COUNTS]]
    all_rows = read[_COUNTS] | "AllRows" >> beam.CombineGlobally(sum_counts)
    if data.last:
        newest = beam.pvalue.AsSingleton(all_rows | "Newest" >> beam.Map(lambda counts: counts.last_time))
        last = batches | "Last" >> beam.ParDo(_Last(data.last), newest).with_outputs(
            _COUNTS, _ITEM_COUNTS, main=_BATCHES
        )
        batches, item_counts = last[_BATCHES], last[_ITEM_COUNTS]
        counts_of_rows.append(last[_COUNTS])
    range_ = beam.pvalue.AsSingleton(all_rows | "TimeRange" >> beam.Map(_time_range, data.last))
    rare = (
        beam.pvalue.AsSingleton(
            item_counts
            | "AllItemCounts" >> beam.CombineGlobally(_sum_item_counts)
            | "RareItems" >> beam.Map(_rare_items, histories.min_item_interactions)
        )
        if histories.min_item_interactions > 1
        else None
    )
    # So that every shard has a file, even without users.
    shard_numbers = pipeline | "Shards" >> beam.Create([(shard, b"") for shard in range(shards)])
    counts_of_shards = (
        (batches, shard_numbers)
        | "BatchesAndShards" >> beam.Flatten()
        | "GroupByShard" >> beam.GroupByKey()
        | "WriteExamples"
        >> beam.ParDo(_WriteExamples(histories, split, data.has_times, split_dirs, shards), range_, rare)
    )
    counts = (
        (*counts_of_rows, counts_of_shards)
        | "Counts" >> beam.Flatten()
        | "AllCounts" >> beam.CombineGlobally(sum_counts)
    )
    _ = (
        pipeline
        | "Once" >> beam.Create([files])
        | "WriteCounts"
        >> beam.ParDo(
            _WriteCounts(data, split if TRAIN in split_dirs else None, counts_dir, quarantine_dir),
            beam.pvalue.AsSingleton(counts),
            range_,
            beam.pvalue.AsList(read[_BAD]),
        )
    )


class _Read(beam.DoFn):
    """(index, path) of a file -> (shard, Arrow table as bytes)."""

    def __init__(self, data: DataSettings, excluded: set[bytes], shards: int) -> None:
        self._data, self._shards = data, shards
        self._excluded = pa.array(sorted(excluded), pa.binary()) if excluded else None

    def process(self, file: tuple[int, str]) -> Iterator[object]:
        index, path = file
        # Beam would decompress by file extension, and would end a damaged stream silently.
        with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as stream:
            for batch in read_interactions(stream, path, self._data):
                counts = Counts(rows_read=batch.rows_read, filtered_rows=batch.filtered, bad_rows=len(batch.bad))
                batch, counts = self._cut(batch, counts)
                if len(batch.time):
                    counts = counts._replace(first_time=int(batch.time.min()), last_time=int(batch.time.max()))
                items = _item_counts(batch.item)
                yield beam.pvalue.TaggedOutput(_COUNTS, counts._replace(null_words=self._null_words(batch.user, items)))
                for bad in batch.bad:
                    yield beam.pvalue.TaggedOutput(_BAD, tuple(bad))
                yield beam.pvalue.TaggedOutput(_ITEM_COUNTS, items)
                yield from self._by_shard(batch, index)

    def _cut(self, batch: Interactions, counts: Counts) -> tuple[Interactions, Counts]:
        """Leaves out excluded users, and what is before `data.since` or not before `data.until`."""
        time = np.asarray(batch.time)
        inside = np.ones(len(time), bool)
        if self._data.since:
            inside &= time >= from_iso_8601(self._data.since)
        if self._data.until:
            inside &= time < from_iso_8601(self._data.until)
        kept = inside.copy()
        if self._excluded is not None:
            kept &= ~np.asarray(pc.is_in(batch.user, value_set=self._excluded))
        if kept.all():
            return batch, counts
        excluded = int((inside & ~kept).sum())
        counts = counts._replace(rows_outside_time=int((~inside).sum()), excluded_rows=excluded)
        mask = pa.array(kept)
        return batch._replace(
            user=batch.user.filter(mask), item=batch.item.filter(mask), time=time[kept], row=batch.row[kept]
        ), counts

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


class _Last(beam.DoFn):
    """(shard, Arrow table as bytes) -> the same with the rows of the last `duration` before the newest one."""

    def __init__(self, duration: str) -> None:
        self._duration = duration

    def process(self, element: tuple[int, bytes], newest: int) -> Iterator[object]:
        shard, batch = element
        table = _from_bytes(batch)
        kept = table.filter(pc.greater_equal(table["time"], _cutoff(newest, self._duration)))
        yield beam.pvalue.TaggedOutput(_COUNTS, Counts(rows_outside_time=len(table) - len(kept)))
        if len(kept):
            yield beam.pvalue.TaggedOutput(_ITEM_COUNTS, _item_counts(kept["item"].combine_chunks()))
            yield shard, _to_bytes(kept)


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

    def process(
        self, element: tuple[int, Iterable[bytes]], range_: TimeRange, rare: set[bytes] | None
    ) -> Iterator[Counts]:
        shard, batches = element
        tables = [_from_bytes(batch) for batch in batches if batch]
        examples: dict[str, list[bytes]] = {name: [] for name in self._split_dirs}
        if tables:
            yield self._make_examples(pa.concat_tables(tables).combine_chunks(), range_, rare, examples)
        for name, directory in self._split_dirs.items():
            write_shard(directory, _FILE_NAME, shard, self._shards, examples[name])

    def _make_examples(
        self, table: pa.Table, range_: TimeRange, rare: set[bytes] | None, examples: dict[str, list[bytes]]
    ) -> Counts:
        """Adds serialized Examples, sorted by user, to `examples` by split."""
        users, user = _codes(table["user"])
        items, item = _codes(table["item"])
        rare_item = np.array([token in rare for token in items], bool) if rare else np.zeros(len(items), bool)
        time, file, row = (np.asarray(table[name]) for name in ("time", "file", "row"))
        result = build_histories(user, item, time, file, row, rare_item, self._histories)
        first, second = split_boundaries(result.start, result.time, self._split, range_)
        tokens = [items[code] for code in result.item]
        for index, start in enumerate(result.start[:-1]):
            history = tokens[start : result.start[index + 1]]
            user_id, a, b = users[result.user[index]], first[index], second[index]
            for name, before, after in ((TRAIN, a, a), (VALID, a, b), (TEST, b, len(history))):
                if name in examples and (after > before or (name == TRAIN and before)):
                    examples[name].append(serialize_example(user_id, history[:before], history[before:after]))
            if ALL in examples:
                examples[ALL].append(serialize_example(user_id, history, []))
        return self._counts(result, first, second, items)

    def _counts(self, histories: Histories, first: np.ndarray, second: np.ndarray, items: list[bytes]) -> Counts:
        lengths = np.diff(histories.start)
        in_train = np.arange(len(histories.item)) < np.repeat(histories.start[:-1] + first, lengths)
        held_out = {TRAIN: first, VALID: second - first, TEST: lengths - second}
        return Counts(
            users=len(lengths),
            interactions=len(histories.item),
            items=frozenset(items[code] for code in np.unique(histories.item)),
            train_items=frozenset(items[code] for code in np.unique(histories.item[in_train])),
            new_users=int((first == 0).sum()),
            dropped=histories.dropped,
            ties=histories.ties if self._has_times else 0,
            split_users={name: int((sizes > 0).sum()) for name, sizes in held_out.items() if self._split.has(name)},
            split_items={name: int(sizes.sum()) for name, sizes in held_out.items() if self._split.has(name)},
        )


class _WriteCounts(beam.DoFn):
    """Writes `counts.json` and the quarantine file; fails if there are too many bad rows or no users left."""

    def __init__(
        self, data: DataSettings, split: SplitSettings | None, counts_dir: str, quarantine_dir: str | None
    ) -> None:
        self._data, self._split = data, split
        self._counts_dir, self._quarantine_dir = counts_dir, quarantine_dir

    def process(self, files: list[str], counts: Counts, range_: TimeRange, bad_rows: list[tuple]) -> None:
        bad = [BadRow(*row) for row in bad_rows]
        quarantine = self._write_quarantine(bad) if self._quarantine_dir else None
        check_bad_row_fraction(bad, counts.rows_read, self._data, quarantine)
        if not counts.users:
            raise UserError(no_users_left(counts))
        if self._split and not counts.split_users[self._split.evaluated]:
            raise UserError(nothing_to_evaluate_on(self._split, range_))
        if self._split and not counts.split_users[TRAIN]:
            raise UserError(nothing_to_train_on(self._split, range_))
        if self._data.last:
            counts = counts._replace(first_time=max(counts.first_time, range_.first))
        text = json.dumps({"files": files, **counts_json(counts)}, indent=1)
        tf.io.gfile.makedirs(self._counts_dir)
        write_text(os.path.join(self._counts_dir, COUNTS_FILE), text)

    def _write_quarantine(self, bad: list[BadRow]) -> str:
        file = os.path.join(self._quarantine_dir or "", QUARANTINE_FILE)
        if bad:
            tf.io.gfile.makedirs(self._quarantine_dir)
            write_text(file, to_csv(bad))
        elif tf.io.gfile.exists(file):  # from an earlier run on other data
            tf.io.gfile.remove(file)
        return file


def no_users_left(counts: Counts) -> str:
    """The error message if no user is left."""
    dropped = {
        "data.since, until and last": counts.rows_outside_time,
        "data.exclude_users": counts.excluded_rows,
        **{f"histories.{rule}": count for rule, count in counts.dropped.items()},
    }
    rules = ", ".join(f"{rule}: {count:,}" for rule, count in dropped.items() if count) or "none"
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


def _sum_item_counts(parts: Iterable[dict[bytes, int]]) -> dict[bytes, int]:
    total: dict[bytes, int] = {}
    for counts in parts:
        for item, count in counts.items():
            total[item] = total.get(item, 0) + count
    return total


def _cutoff(newest: int, duration: str) -> int:
    return newest - (from_duration(duration) or 0)


def _time_range(counts: Counts, last: str | None) -> TimeRange:
    """The time range of all rows, or of those that `data.last` keeps."""
    first = max(counts.first_time, _cutoff(counts.last_time, last)) if last else counts.first_time
    return TimeRange(first, counts.last_time)


def _rare_items(counts: dict[bytes, int], threshold: int) -> set[bytes]:
    return {item for item, count in counts.items() if count < threshold}


def _to_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    # Runners hold what is grouped, some of them several times: a third of the bytes for little time.
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _from_bytes(batch: bytes) -> pa.Table:
    return pa.ipc.open_stream(batch).read_all()
