"""Checks the input before any node runs, so that common mistakes fail at once."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from components.errors import UserError
from components.example_gen.readers.columns import likely_separator, separator_hint
from components.example_gen.readers.quarantine import BadRow
from components.example_gen.readers.reader import read_interactions
from components.example_gen.settings import DataSettings, HistorySettings, SplitSettings
from components.example_gen.splits import holds_out_anything, nothing_to_evaluate_on

# Larger inputs are only sampled: the first block of every file.
_READ_IN_FULL = 200 << 20
_RAW_CHARACTERS = 80


class _Preview(NamedTuple):
    """Rows read, valid rows, the first bad row, and interactions per user."""

    rows: int
    valid: int
    first_bad: BadRow | None
    per_user: dict[bytes, int]


def check_input(path: str, data: DataSettings, histories: HistorySettings, split: SplitSettings) -> None:
    """Reads the input as ExampleGen will, and fails on problems of the input as a whole.

    A few bad rows are fine here: ExampleGen counts and quarantines them. Remote paths (`gs://...`) are not checked.

    Args:
        path: file, glob pattern, or pattern with `{SPAN}`.
        data: how files are read.
        histories: how interactions are filtered.
        split: how histories are split.

    Raises:
        UserError: the input is missing, empty, truncated, lacks the configured columns, has no valid row, or no user
            has enough interactions.
    """
    if "://" in path:
        return
    files = _files(path)
    in_full = sum(os.path.getsize(file) for file in files) <= _READ_IN_FULL
    preview = _preview(files, data, in_full)
    if preview.first_bad and not preview.valid:
        raise UserError(_no_valid_row(preview.first_bad, data))
    if not preview.rows:
        raise UserError(
            f"{path}: the file has a header but no rows. Hint: provide a file with one interaction per line."
        )
    if preview.first_bad or not in_full:
        return
    if not preview.per_user:
        filters = "`data.min_rating` and `data.events`"
        raise UserError(f"{path}: all {preview.rows:,} rows are filtered out. Hint: check {filters}.")
    longest, needed = max(preview.per_user.values()), max(2, histories.min_user_interactions)
    if longest < needed:
        raise UserError(
            f"{path}: no user has enough interactions: at least {needed} are needed, the longest history has "
            f"{longest}. "
            f"Hint: provide more data, or check `data.user_column` (now {data.user_column!r})."
        )
    if not holds_out_anything(min(longest, histories.max_user_interactions), split):
        raise UserError(f"{path}: {nothing_to_evaluate_on(split)}")


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
    separator = likely_separator(bad.raw, len(data.columns) if data.columns else None)
    if separator is not None and separator != data.separator:
        return f"{problem}\n{separator_hint(separator)}"
    return f"{problem}\nHint: check `data.separator`, `data.columns` and `data.time_format`."


def _files(path: str) -> list[str]:
    pattern = re.sub(r"\{(SPAN|VERSION|YYYY|MM|DD)[^}]*\}", "*", path)
    if not glob.has_magic(pattern):
        return [_existing(pattern)]
    files = sorted(file for file in glob.glob(pattern) if os.path.isfile(file))
    if not files:
        raise UserError(f"No file matches {path}. Hint: check the pattern.")
    return files


def _existing(file: str) -> str:
    if os.path.isdir(file):
        raise UserError(f"{file} is a directory. Hint: pass the files in it, such as '{file.rstrip('/')}/*.csv'.")
    if not os.path.exists(file):
        parent = Path(file).parent
        siblings = sorted(entry.name for entry in parent.iterdir())[:8] if parent.is_dir() else None
        details = (
            f" {parent} contains: {', '.join(siblings)}."
            if siblings
            else f" Directory {parent} does not exist."
            if siblings is None
            else ""
        )
        raise UserError(f"File {file} does not exist.{details} Hint: check the path.")
    if not os.access(file, os.R_OK):
        raise UserError(f"{file} cannot be read: permission denied. Hint: chmod +r {file}, or run as another user.")
    return file
