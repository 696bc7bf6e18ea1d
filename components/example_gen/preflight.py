"""Looks at the input before any node runs, so that an ordinary mistake is answered at once."""

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

# Up to this many bytes are read in full; of more, the beginning of every file.
_READ_IN_FULL = 200 << 20
_RAW_SHOWN = 80


class _Glance(NamedTuple):
    """What a first look found: rows read, good ones, the first bad one, and interactions that are left per user."""

    rows: int
    good: int
    first_bad: BadRow | None
    per_user: dict[bytes, int]


def check_input(path: str, data: DataSettings, histories: HistorySettings, split: SplitSettings) -> None:
    """Reads the files once, as ExampleGen will.

    Some bad rows are no concern here: ExampleGen counts and keeps them. What has a scheme (`gs://...`) is left to it.

    Args:
        path: file, glob or `{SPAN}` pattern.
        data: how files are read.
        histories: thresholds.
        split: how histories are divided.

    Raises:
        UserError: a problem of the whole input: missing, empty, cut short, without the configured columns, without
            a readable row, or no user is long enough.
    """
    if "://" in path:
        return
    files = _files(path)
    in_full = sum(os.path.getsize(file) for file in files) <= _READ_IN_FULL
    found = _glance(files, data, in_full)
    if found.first_bad and not found.good:
        raise UserError(_nothing_readable(found.first_bad, data))
    if not found.rows:
        raise UserError(f"{path}: nothing is below the header. Remedy: pass a file with one interaction per line.")
    if found.first_bad or not in_full:
        return
    if not found.per_user:
        filters = "`data.min_rating` and `data.events`"
        raise UserError(f"{path}: all {found.rows:,} rows are filtered out. Remedy: check {filters}.")
    longest, needed = max(found.per_user.values()), max(2, histories.min_user_interactions)
    if longest < needed:
        raise UserError(
            f"{path}: no user is long enough: {needed} interactions are needed, the longest has {longest}. "
            f"Remedy: give more data, or check `data.user_column` (now {data.user_column!r})."
        )
    if not holds_out_anything(min(longest, histories.max_user_interactions), split):
        raise UserError(f"{path}: {nothing_to_evaluate_on(split)}")


def _glance(files: list[str], data: DataSettings, in_full: bool) -> _Glance:
    rows = good = 0
    first_bad: BadRow | None = None
    per_user: dict[bytes, int] = {}
    for file in files:
        with open(file, "rb") as stream:
            for batch in read_interactions(stream, file, data):
                rows, good = rows + batch.rows_read, good + len(batch.time) + batch.filtered
                first_bad = first_bad or next(iter(batch.bad), None)
                encoded = batch.user.dictionary_encode()
                sizes = np.bincount(np.asarray(encoded.indices), minlength=len(encoded.dictionary))
                for user, size in zip(encoded.dictionary.to_pylist(), sizes.tolist(), strict=True):
                    per_user[user] = per_user.get(user, 0) + size
                if not in_full:
                    break
    return _Glance(rows, good, first_bad, per_user)


def _nothing_readable(bad: BadRow, data: DataSettings) -> str:
    problem = f"Not a single row can be read. {bad.file}, row {bad.row}: {bad.reason}: {bad.raw[:_RAW_SHOWN]}"
    separator = likely_separator(bad.raw, len(data.columns) if data.columns else None)
    if separator is not None and separator != data.separator:
        return f"{problem}\n{separator_hint(separator)}"
    return f"{problem}\nRemedy: check `data.separator`, `data.columns` and `data.time_format`."


def _files(path: str) -> list[str]:
    pattern = re.sub(r"\{(SPAN|VERSION|YYYY|MM|DD)[^}]*\}", "*", path)
    if not glob.has_magic(pattern):
        return [_existing(pattern)]
    files = sorted(file for file in glob.glob(pattern) if os.path.isfile(file))
    if not files:
        raise UserError(f"No file matches {path}. Remedy: check the pattern.")
    return files


def _existing(file: str) -> str:
    if os.path.isdir(file):
        raise UserError(f"{file} is a folder. Remedy: name the files in it, such as '{file.rstrip('/')}/*.csv'.")
    if not os.path.exists(file):
        parent = Path(file).parent
        there = sorted(entry.name for entry in parent.iterdir())[:8] if parent.is_dir() else None
        hint = (
            f" In {parent} there is: {', '.join(there)}."
            if there
            else f" There is no folder {parent}."
            if there is None
            else ""
        )
        raise UserError(f"There is no file {file}.{hint} Remedy: check the path.")
    if not os.access(file, os.R_OK):
        raise UserError(f"{file} cannot be read: permission denied. Remedy: chmod +r, or run as another user.")
    return file
