"""Bad rows: written to `bad_rows.csv` with their reasons, and limited in number."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Sequence
from typing import NamedTuple

from components.errors import UserError
from components.example_gen.readers.columns import likely_separator, separator_setting
from components.example_gen.readers.timestamps import UNDERSTOOD, pattern_hint
from components.example_gen.settings import DataSettings

QUARANTINE_FILE = "bad_rows.csv"
UNREADABLE_TIME = "unreadable time in"
_SHOWN, _RAW_SHOWN = 10, 80


class BadRow(NamedTuple):
    """One malformed row.

    Attributes:
        file: file name.
        row: line of a text file or record of a Parquet file, from 1.
        reason: why the row is malformed.
        raw: the row's text; control characters and bytes that are not UTF-8 are escaped.
    """

    file: str
    row: int
    reason: str
    raw: str


def to_csv(bad: Sequence[BadRow]) -> str:
    """The content of the quarantine file: a header and one sorted line per row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(BadRow._fields)
    writer.writerows(sorted(bad))
    return text.getvalue()


def check_bad_row_fraction(bad: Sequence[BadRow], rows_read: int, data: DataSettings, quarantine: str | None) -> None:
    """Fails if too many rows are malformed.

    Args:
        bad: all malformed rows.
        rows_read: number of all rows.
        data: the maximum fraction of malformed rows; the other settings are for hints.
        quarantine: path of the quarantine file, for the message; None: there is none.

    Raises:
        UserError: the fraction exceeds `data.max_bad_row_fraction`; the message lists the first ten rows.
    """
    if len(bad) <= data.max_bad_row_fraction * rows_read:
        return
    listing = "\n".join(
        f"  {row.file}, row {row.row}: {row.reason}: {row.raw[:_RAW_SHOWN]}" for row in sorted(bad)[:_SHOWN]
    )
    cause = hint_for(min(bad), data)
    fraction = len(bad) / rows_read
    sufficient = min(1.0, float(f"{fraction * 1.05 + 1e-9:.2g}"))
    where = f"  ... all of them are in {quarantine}\n" if len(bad) > _SHOWN else f"  (also in {quarantine})\n"
    raise UserError(
        f"{len(bad):,} of {rows_read:,} rows are malformed, above the limit "
        f"`data.max_bad_row_fraction` = {data.max_bad_row_fraction:g}:\n"
        f"{listing}\n"
        + (where if quarantine else "")
        + (f"Hint: {cause}\n" if cause else "")
        + f"Hint: fix the rows, or skip them with --set data.max_bad_row_fraction={sufficient:g}"
    )


def hint_for(bad: BadRow, data: DataSettings) -> str | None:
    """A setting that may make a malformed row readable; None if there is none.

    Args:
        bad: the row.
        data: the settings that it was read with.
    """
    reason = bad.reason
    if reason.startswith("bytes that are not"):
        return "--set data.encoding=windows-1252, or the encoding that the file was written in"
    if reason.startswith("the quote"):
        return "--set data.quoting=none, if quotes are part of the values"
    if bad.row == 1 and not data.header and reason.startswith((UNREADABLE_TIME, "`")):
        return "--set data.header=true --set data.columns=null, if the first line has the names of the columns"
    if reason.startswith(UNREADABLE_TIME):
        return _time_hint(reason.split(": ", 1)[-1].strip("'\""), data)
    separator = likely_separator(bad.raw, len(data.columns) if data.columns else None)
    if "fields instead of" in reason and separator is not None and separator != data.separator:
        return f"{separator_setting(separator)}, since fields seem to be separated by {separator!r}"
    if "fields instead of" in reason and '"' in bad.raw and data.quoting == "auto":
        return "--set data.quoting=csv, if double quotes enclose fields, or none, if they are part of the values"
    return None


def _time_hint(value: str, data: DataSettings) -> str:
    if data.time_format != "auto":
        return f"--set data.time_format=auto, which understands {UNDERSTOOD}."
    pattern = pattern_hint(value)
    setting = shlex.quote(f"data.time_format={pattern or '%d/%m/%Y %H:%M'}")
    note = ""
    if pattern is None:
        note = " with the pattern of your times"
    elif pattern.startswith(("%m", "%d")):
        note = " (is the first number the month?)"
    return f"--set {setting}{note}. Without it, these are understood: {UNDERSTOOD}."
