"""Bad rows: written to `bad_rows.csv` with their reasons, and limited in number."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import NamedTuple

from components.errors import UserError

QUARANTINE_FILE = "bad_rows.csv"
_SHOWN, _RAW_SHOWN = 10, 80


class BadRow(NamedTuple):
    """One malformed row.

    Attributes:
        file: file name.
        row: line of a text file or record of a Parquet file, from 1.
        reason: why the row is malformed.
        raw: the row's text; bytes that are not UTF-8 are escaped.
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


def check_bad_row_fraction(bad: Sequence[BadRow], rows_read: int, max_fraction: float, quarantine: str) -> None:
    """Fails if too many rows are malformed.

    Args:
        bad: all malformed rows.
        rows_read: number of all rows.
        max_fraction: maximum fraction of malformed rows, from 0 to 1.
        quarantine: path of the quarantine file, for the message.

    Raises:
        UserError: the fraction exceeds `max_fraction`; the message lists the first ten rows.
    """
    if len(bad) <= max_fraction * rows_read:
        return
    listing = "\n".join(
        f"  {row.file}, row {row.row}: {row.reason}: {row.raw[:_RAW_SHOWN]}" for row in sorted(bad)[:_SHOWN]
    )
    fraction = len(bad) / rows_read
    sufficient = min(1.0, float(f"{fraction * 1.05 + 1e-9:.2g}"))
    raise UserError(
        f"{len(bad):,} of {rows_read:,} rows are malformed, above the limit "
        f"`data.max_bad_row_fraction` = {max_fraction:g}:\n"
        f"{listing}\n"
        + (f"  ... all of them are in {quarantine}\n" if len(bad) > _SHOWN else f"  (also in {quarantine})\n")
        + f"Hint: fix the rows, or skip them with --set data.max_bad_row_fraction={sufficient:g}"
    )
