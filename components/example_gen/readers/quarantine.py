"""Rows that could not be read: counted, kept with their reason, and a reason to stop when there are too many."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import NamedTuple

from components.errors import UserError

QUARANTINE_FILE = "bad_rows.csv"
_SHOWN, _RAW_SHOWN = 10, 80


class BadRow(NamedTuple):
    """One row that could not be read.

    Attributes:
        file: its name.
        row: line of a text file or record of a Parquet file, from 1.
        reason: why.
        raw: the row's bytes; escaped where they are not UTF-8.
    """

    file: str
    row: int
    reason: str
    raw: str


def to_csv(bad: Sequence[BadRow]) -> str:
    """The text of the quarantine file: a header, then one line per row, in order."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(BadRow._fields)
    writer.writerows(sorted(bad))
    return text.getvalue()


def check_bad_row_fraction(bad: Sequence[BadRow], rows_read: int, max_share: float, place: str) -> None:
    """Stops a run that has too many bad rows.

    Args:
        bad: all of them.
        rows_read: good and bad.
        max_share: from 0 to 1.
        place: of the quarantine file.

    Raises:
        UserError: their share exceeds `max_share`; shows the first ten.
    """
    if len(bad) <= max_share * rows_read:
        return
    shown = "\n".join(
        f"  {row.file}, row {row.row}: {row.reason}: {row.raw[:_RAW_SHOWN]}" for row in sorted(bad)[:_SHOWN]
    )
    share = len(bad) / rows_read
    allowed = min(1.0, float(f"{share * 1.05 + 1e-9:.2g}"))
    raise UserError(
        f"{len(bad):,} of {rows_read:,} rows cannot be read, more than `data.max_bad_row_fraction` = {max_share:g} allows:\n"
        f"{shown}\n"
        + (f"  ... all of them are in {place}\n" if len(bad) > _SHOWN else f"  (also in {place})\n")
        + f"Remedy: mend the rows, or leave them out with --set data.max_bad_row_fraction={allowed:g}"
    )
