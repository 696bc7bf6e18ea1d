"""Finds the configured columns in a header and in directory names."""

from __future__ import annotations

import difflib
import re
import shlex
from typing import NamedTuple

from components.errors import UserError
from components.example_gen.settings import DataSettings

_SEPARATORS = ("\t", ",", ";", "::", "|", " ")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


class PartitionValue(NamedTuple):
    """The value of a column that is in a directory's name; None: null."""

    value: str | None


Position = int | PartitionValue | None


def column_positions(
    header: list[str], partitions: dict[str, str | None], data: DataSettings, name: str
) -> list[Position]:
    """Where the user, item, time, rating and event columns are.

    Args:
        header: names of all columns of the file.
        partitions: values by column, from directory names; the file's own columns go first.
        data: names of the configured columns.
        name: file name, for error messages.

    Returns:
        For each of the five, the position in the file, from 0; the value in a directory name; or None if it is not
        configured.

    Raises:
        UserError: a configured column is missing or occurs twice.
    """
    header = [column.strip() for column in header]
    configured = {
        "user_column": data.user_column,
        "item_column": data.item_column,
        "time_column": data.time_column,
        "rating_column": data.rating_column,
        "event_column": data.event_column,
    }
    positions: list[Position] = []
    for setting, column in configured.items():
        if column is None:
            positions.append(None)
        elif header.count(column) == 1:
            positions.append(header.index(column))
        elif column in partitions and column not in header:
            positions.append(PartitionValue(partitions[column]))
        else:
            raise UserError(_message([*header, *partitions], setting, column, data, name))
    return positions


def likely_separator(line: str, fields: int | None = None) -> str | None:
    """Guesses the field separator of a line.

    Args:
        line: a line of a text file.
        fields: the expected number of fields; None if unknown.

    Returns:
        The common separator that gives the expected number of fields (if unknown: the most fields), or None.
    """
    counts = {separator: line.count(separator) + 1 for separator in _SEPARATORS if separator in line}
    fitting = [separator for separator, count in counts.items() if fields in (None, count)]
    return max(fitting, key=counts.__getitem__, default=None)


def separator_hint(separator: str) -> str:
    """A hint to set the separator on the command line."""
    shown = "\\t" if separator == "\t" else separator
    return f"Fields seem to be separated by {separator!r}. Hint: --set data.separator={shlex.quote(shown)}"


def _message(header: list[str], setting: str, column: str, data: DataSettings, name: str) -> str:
    if header.count(column) > 1:
        return f"{name}, row 1: column `{column}` occurs {header.count(column)} times. Hint: rename one of them."
    problem = f"{name}, row 1: column `{column}` not found. Columns: {', '.join(header)}."
    separator = likely_separator(header[0]) if len(header) == 1 else None
    hints = []
    if separator is not None and separator != data.separator:
        hints.append(separator_hint(separator))
        header = header[0].split(separator)
    if any(_NUMBER.fullmatch(part.strip()) for part in header):
        if separator in (None, " ") and len(header) > 1 and all(_NUMBER.fullmatch(part.strip()) for part in header):
            hints.append("if a line is a user and their items, oldest first, use --set data.format=sequences")
        hints.append(
            "Hint: if the file has no header, use --set data.header=false --set data.columns=[user_id,item_id,...]; "
            "`caser presets` has the settings of well-known data sets"
        )
    if not hints:
        close = difflib.get_close_matches(column, header, n=1, cutoff=0.0) or header[:1]
        hints.append(f"Hint: --set {shlex.quote(f'data.{setting}={close[0]}')} (or another column)")
        if setting == "time_column":
            hints.append("--set data.time_column=null if the rows are in chronological order")
    return f"{problem} {'; '.join(hints)}"
