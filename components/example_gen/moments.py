"""Points in time and durations as text: ISO 8601, and numbers of days such as `365d`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_ISO_8601 = re.compile(
    r"(\d{4})([-/])(\d\d)\2(\d\d)"
    r"(?:[T ](\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d{1,9}))?)?)?)?"
    r"(?: ?(?:(Z|UTC|GMT)|([+-]\d\d)(?::?(\d\d))?))?",
    re.IGNORECASE | re.ASCII,
)
_UNITS = {"w": 7 * 86400, "d": 86400, "h": 3600}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([wdh])", re.ASCII)


def from_iso_8601(text: str) -> int | None:
    """Microseconds since 1970 (UTC unless an offset is given); None if the text is not ISO 8601.

    Args:
        text: such as `2020-09-13`, `2020-09-13 12:26:40` or `2020-09-13T12:26:40.5+02:00`.
    """
    match = _ISO_8601.fullmatch(text)
    if match is None:
        return None
    year, _, month, day, hour, minute, second, fraction, _, offset_hours, offset_minutes = match.groups()
    try:
        moment = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))
    except ValueError:
        return None
    micros = to_micros(moment.replace(tzinfo=timezone.utc)) + int((fraction or "").ljust(6, "0")[:6])
    offset = abs(int(offset_hours or 0)) * 60 + int(offset_minutes or 0)
    if offset >= 24 * 60 or int(offset_minutes or 0) >= 60:
        return None
    return micros - (-offset if (offset_hours or "").startswith("-") else offset) * 60 * 10**6


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970 of a moment with a time zone."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def to_iso_8601(micros: int) -> str | None:
    """A moment as text, in whole seconds; None beyond the calendar: numbers that only define an order."""
    try:
        return datetime.fromtimestamp(micros // 1_000_000, timezone.utc).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def from_duration(text: str) -> int | None:
    """Microseconds of `52w`, `365d` or `36h`; None if the text is no duration."""
    match = _DURATION.fullmatch(text.strip())
    return round(float(match[1]) * _UNITS[match[2]] * 10**6) if match else None
