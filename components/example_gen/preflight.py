"""Checks the input before any node runs, so that common mistakes fail at once."""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np

from components.errors import UserError
from components.example_gen.inputs.id_lists import excluded_users
from components.example_gen.inputs.input_files import has_span, is_remote, total_bytes
from components.example_gen.inputs.spans import files_to_read
from components.example_gen.readers.quarantine import BadRow, hint_for
from components.example_gen.readers.reader import read_interactions
from components.example_gen.settings import DataSettings, HistorySettings, SplitSettings
from components.example_gen.splits import TimeRange, holds_out_anything, nothing_to_evaluate_on

# Larger inputs are only sampled: the first block of every file.
_READ_IN_FULL = 200 << 20
_RAW_CHARACTERS = 80


class _Preview(NamedTuple):
    """Rows read, valid rows, the first bad row, and interactions per user."""

    rows: int
    valid: int
    first_bad: BadRow | None
    per_user: dict[bytes, int]


def check_input(path: str, data: DataSettings, histories: HistorySettings, split: SplitSettings | None) -> None:
    """Reads the input as ExampleGen will, and fails on problems of the input as a whole.

    A few bad rows are fine here: ExampleGen counts and quarantines them. Remote paths (`gs://...`) are not checked.

    Args:
        path: what `input_files` takes.
        data: how files are read.
        histories: how interactions are filtered.
        split: how histories are split; None: they are not, and a single interaction is enough.

    Raises:
        UserError: the input is missing, empty, truncated, lacks the configured columns, has no valid row, or no user
            has enough interactions; or the file of excluded users cannot be read.
    """
    if is_remote(path):
        return
    excluded_users(data)
    if data.last_spans and not has_span(path):
        raise UserError(
            f"{path} has no spans, so `data.last_spans`={data.last_spans} means nothing. "
            "Hint: pass a pattern such as --data 'log/day-{SPAN}/*.csv', or unset it with --set data.last_spans=null"
        )
    files = files_to_read(path, data.last_spans)
    in_full = sum(os.path.getsize(file) for file in files) <= _READ_IN_FULL
    preview = _preview(files, data, in_full)
    if preview.first_bad and not preview.valid:
        raise UserError(_no_valid_row(preview.first_bad, data))
    if not preview.rows:
        what = "the file has a header but no rows" if total_bytes(files) else "the file is empty"
        raise UserError(f"{path}: {what}. Hint: provide a file with one interaction per line.")
    if preview.first_bad or not in_full:
        return
    if not preview.per_user:
        filters = "`data.min_rating` and `data.events`"
        raise UserError(f"{path}: all {preview.rows:,} rows are filtered out. Hint: check {filters}.")
    longest, needed = max(preview.per_user.values()), max(2 if split else 1, histories.min_user_interactions)
    if longest < needed:
        raise UserError(
            f"{path}: no user has enough interactions: at least {needed} are needed, the longest history has "
            f"{longest}. "
            f"Hint: provide more data, or check `data.user_column` (now {data.user_column!r})."
        )
    # Where `time` splits, ExampleGen will know.
    longest = min(longest, histories.max_user_interactions)
    if split and split.strategy != "time" and not holds_out_anything(longest, split):
        raise UserError(f"{path}: {nothing_to_evaluate_on(split, TimeRange(0, 0))}")


def _preview(files: list[str], data: DataSettings, in_full: bool) -> _Preview:
    rows = valid = 0
    first_bad: BadRow | None = None
    per_user: dict[bytes, int] = {}
    for file in files:
        with open(file, "rb") as stream:
            for batch in read_interactions(stream, file, data):
                rows, valid = rows + batch.rows_read, valid + len(batch.time) + batch.filtered
                first_bad = first_bad or next(iter(batch.bad), None)
                encoded = batch.user.dictionary_encode()
                sizes = np.bincount(np.asarray(encoded.indices), minlength=len(encoded.dictionary))
                for user, size in zip(encoded.dictionary.to_pylist(), sizes.tolist(), strict=True):
                    per_user[user] = per_user.get(user, 0) + size
                if not in_full:
                    break
    return _Preview(rows, valid, first_bad, per_user)


def _no_valid_row(bad: BadRow, data: DataSettings) -> str:
    problem = f"No row is valid. {bad.file}, row {bad.row}: {bad.reason}: {bad.raw[:_RAW_CHARACTERS]}"
    return f"{problem}\nHint: {hint_for(bad, data) or 'check `data.separator`, `data.columns` and `data.time_format`.'}"
