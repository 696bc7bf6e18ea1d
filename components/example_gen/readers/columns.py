"""Finds the configured columns in a header."""

from __future__ import annotations

import difflib

from components.errors import UserError
from components.example_gen.settings import DataSettings

_SEPARATORS = ("\t", ",", ";", "::", "|")


def column_positions(header: list[str], data: DataSettings, name: str) -> list[int | None]:
    """Positions of the user, item, time, rating and event columns.

    Args:
        header: names of all columns.
        data: names of the configured columns.
        name: file name, for error messages.

    Returns:
        Five positions, from 0; None for columns that are not configured.

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
    for setting, column in configured.items():
        if column is not None and header.count(column) != 1:
            raise UserError(_message(header, setting, column, data, name))
    return [None if column is None else header.index(column) for column in configured.values()]


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
    return f"Fields seem to be separated by {separator!r}. Hint: --set data.separator={separator!r}"


def _message(header: list[str], setting: str, column: str, data: DataSettings, name: str) -> str:
    if header.count(column) > 1:
        return f"{name}, row 1: column `{column}` occurs {header.count(column)} times. Hint: rename one of them."
    problem = f"{name}, row 1: column `{column}` not found. Columns: {', '.join(header)}."
    separator = likely_separator(header[0]) if len(header) == 1 else None
    hints = []
    if separator is not None and separator != data.separator:
        hints.append(separator_hint(separator))
        header = header[0].split(separator)
    if any(part.replace(".", "").isdigit() for part in header):
        hints.append(
            "Hint: if the file has no header, use --set data.header=false --set data.columns=[user_id,item_id,...]; "
            "`caser presets` has the settings of well-known data sets"
        )
    if not hints:
        close = difflib.get_close_matches(column, header, n=1, cutoff=0.0) or header[:1]
        hints.append(f"Hint: --set data.{setting}={close[0]} (or another column)")
        if setting == "time_column":
            hints.append("--set data.time_column=null if the rows are in chronological order")
    return f"{problem} {'; '.join(hints)}"
