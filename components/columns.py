"""Finds the configured columns in a header."""

from __future__ import annotations

import difflib

from components.errors import UserError
from components.settings import DataSettings

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


def _message(header: list[str], setting: str, column: str, data: DataSettings, name: str) -> str:
    if header.count(column) > 1:
        return f"{name}, row 1: there are {header.count(column)} columns `{column}`. Remedy: rename one of them."
    found = f"{name}, row 1: there is no column `{column}` among: {', '.join(header)}."
    if len(header) == 1:
        for separator in _SEPARATORS:
            if separator != data.separator and separator in header[0]:
                return (
                    f"{found} Fields seem to be separated by {separator!r}. Remedy: --set data.separator={separator!r}"
                )
    close = difflib.get_close_matches(column, header, n=1, cutoff=0.0) or header[:1]
    remedy = f"{found} Remedy: --set data.{setting}={close[0]} (or the right one)"
    if setting == "time_column":
        remedy += "; --set data.time_column=null if the rows are in true order"
    if any(part.replace(".", "").isdigit() for part in header):
        remedy += ". If the file has no header: --set data.header=false --set data.columns=[user_id,item_id,...]"
    return remedy
