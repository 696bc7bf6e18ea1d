"""Finds the configured columns in a header."""

from __future__ import annotations

import difflib

from components.errors import UserError
from components.example_gen.settings import DataSettings

_SEPARATORS = ("\t", ",", ";", "::", "|")


def column_positions(header: list[str], data: DataSettings, name: str) -> list[int | None]:
    """Where user, item, time, rating and event are.

    Args:
        header: names of all columns.
        data: names of the configured ones.
        name: of the file, for the message.

    Returns:
        Five positions from 0; None for what is not configured.

    Raises:
        UserError: a configured column is not there, or there twice.
    """
    header = [column.strip() for column in header]
    wanted = {
        "user_column": data.user_column,
        "item_column": data.item_column,
        "time_column": data.time_column,
        "rating_column": data.rating_column,
        "event_column": data.event_column,
    }
    for setting, column in wanted.items():
        if column is not None and header.count(column) != 1:
            raise UserError(_message(header, setting, column, data, name))
    return [None if column is None else header.index(column) for column in wanted.values()]


def likely_separator(line: str, fields: int | None = None) -> str | None:
    """What seems to separate the fields of a line: the usual separator that gives the expected number, or the most.

    Args:
        line: of a text file.
        fields: how many are expected; None where it is not known.
    """
    found = {separator: line.count(separator) + 1 for separator in _SEPARATORS if separator in line}
    fitting = [separator for separator, count in found.items() if fields in (None, count)]
    return max(fitting, key=found.__getitem__, default=None)


def separator_hint(separator: str) -> str:
    """How to set it on the command line."""
    return f"Fields seem to be separated by {separator!r}. Remedy: --set data.separator={separator!r}"


def _message(header: list[str], setting: str, column: str, data: DataSettings, name: str) -> str:
    if header.count(column) > 1:
        return f"{name}, row 1: there are {header.count(column)} columns `{column}`. Remedy: rename one of them."
    found = f"{name}, row 1: there is no column `{column}` among: {', '.join(header)}."
    separator = likely_separator(header[0]) if len(header) == 1 else None
    remedies = []
    if separator is not None and separator != data.separator:
        remedies.append(separator_hint(separator))
        header = header[0].split(separator)
    if any(part.replace(".", "").isdigit() for part in header):
        remedies.append(
            "Remedy where the file has no header: --set data.header=false --set data.columns=[user_id,item_id,...]; "
            "`caser presets` has the settings of well-known data sets"
        )
    if not remedies:
        close = difflib.get_close_matches(column, header, n=1, cutoff=0.0) or header[:1]
        remedies.append(f"Remedy: --set data.{setting}={close[0]} (or the right one)")
        if setting == "time_column":
            remedies.append("--set data.time_column=null if the rows are in true order")
    return f"{found} {'; '.join(remedies)}"
