"""Finds the configured columns in a header and in directory names."""

from __future__ import annotations

import difflib
import re
import shlex
from typing import NamedTuple

from components.errors import UserError
from components.example_gen.settings import DataSettings

_SEPARATORS = ("\t", ",", ";", "::", "|", " ")
_MAX_COLUMNS, _SHOWN = 30, 60
# Letters of the names that public data sets use.
_USUAL_NAMES = {
    "user_column": (
        *("userid", "user", "uid", "reviewerid", "visitorid", "customerid", "memberid", "sessionid", "personid"),
        *("cookieid", "clientid", "profileid", "username"),
    ),
    "item_column": (
        *("itemid", "item", "iid", "asin", "parentasin", "movieid", "productid", "articleid", "trackid", "songid"),
        *("sku", "contentid", "businessid", "bookid", "gameid", "newsid", "videoid", "productcode"),
    ),
    "time_column": (
        *("timestamp", "time", "ts", "date", "datetime", "unixreviewtime", "eventtime", "createdat", "created"),
        *("tdat", "reviewtime", "eventtimestamp", "unixtime"),
    ),
}
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
            raise UserError(_message([*header, *partitions], setting, column, configured, data, name))
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


def separator_setting(separator: str) -> str:
    """The option that sets the separator, as it can be pasted."""
    shown = "\\t" if separator == "\t" else separator
    return f"--set data.separator={shlex.quote(shown)}"


def _guess(setting: str, column: str, header: list[str]) -> str | None:
    """The column that a setting may mean: by a usual name, else by a similar one."""
    usual = _USUAL_NAMES.get(setting, ())
    for name in header:
        if re.sub(r"[^a-z]", "", name.lower()) in usual:
            return _printable(name)
    close = difflib.get_close_matches(column, header, n=1, cutoff=0.0 if setting != "time_column" else 0.5)
    return _printable(close[0] if close else header[0])


def _printable(name: str) -> str | None:
    return name if name.isprintable() and len(name) <= _SHOWN else None


def _shown(name: str) -> str:
    text = name if name.isprintable() else ascii(name)[1:-1]
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _message(
    header: list[str], setting: str, column: str, configured: dict[str, str | None], data: DataSettings, name: str
) -> str:
    if any("\0" in field or "\ufffd" in field for field in header):
        return f"{name}: the first line is not UTF-8 text. Hint: check the path, or --set data.encoding=windows-1252"
    if header.count(column) > 1:
        return f"{name}, row 1: column `{column}` occurs {header.count(column)} times. Hint: rename one of them."
    names = ", ".join(map(_shown, header[:_MAX_COLUMNS])) + (", ..." if len(header) > _MAX_COLUMNS else "")
    problem = f"{name}, row 1: column `{column}` not found. Columns: {names}."
    separator = likely_separator(header[0]) if len(header) == 1 else None
    hints = []
    if separator is not None and separator != data.separator:
        problem += f" Fields seem to be separated by {separator!r}."
        hints.append(separator_setting(separator))
        header = header[0].split(separator)
    numbers = [_NUMBER.fullmatch(part.strip()) is not None for part in header]
    if any(numbers):
        hints.append(
            "if the file has no header, use --set data.header=false --set data.columns=[user_id,item_id,...]; "
            "`caser presets` has the settings of well-known data sets"
        )
        if separator in (None, " ") and len(header) > 1 and all(numbers):
            hints.append("if each line is a user and their items, use --set data.format=sequences")
    if not hints:
        settings = [
            f"--set {shlex.quote(f'data.{key}={guess}')}"
            for key, wanted in configured.items()
            if wanted is not None and wanted not in header and (guess := _guess(key, wanted, header)) is not None
        ]
        hints.append(f"{' '.join(settings)} (or other columns)")
        if setting == "time_column":
            hints.append("--set data.time_column=null if the rows are in chronological order")
    return f"{problem} Hint: {'; '.join(hints)}"
