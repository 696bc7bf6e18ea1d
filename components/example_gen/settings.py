"""Settings of ExampleGen."""

from __future__ import annotations

import codecs
from datetime import date, datetime, timezone
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from components.example_gen.moments import from_duration, from_iso_8601
from components.features import TEST, VALID
from components.settings import Settings

MAX_SHARDS = 4096

_TIME_FORMATS = ("auto", "seconds", "milliseconds", "microseconds", "nanoseconds", "iso8601")


def _as_text(value: object) -> object:
    """YAML takes unquoted dates for dates."""
    return value.isoformat() if isinstance(value, date) else value


_Moment = Annotated[str, BeforeValidator(_as_text)]


class DataSettings(Settings):
    """Interaction files (`components.example_gen.readers`)."""

    format: Literal["auto", "csv", "jsonl", "parquet", "sequences"] = Field(
        "auto",
        description="auto: Parquet, JSON lines, RecBole's .inter or delimited text, by content; sequences: one "
        "user per line (`user item item ...`). Each may be compressed",
    )
    separator: str = Field(",", description="field separator of text files: ',', '\\t', '::', ...")
    quoting: Literal["auto", "csv", "none"] = Field(
        "auto",
        description="csv: double quotes enclose fields; none: they are characters like others; auto: csv, but none if "
        "the separator is a tab or several characters and the first line has no field in quotes",
    )
    encoding: str = Field(
        "auto",
        description="encoding of text files, such as windows-1252; auto: UTF-8, or UTF-16; both with or without BOM",
    )
    comment: str | None = Field(None, description="lines of text files that begin with it are skipped, such as '#'")
    header: bool = Field(True, description="whether the first line holds the column names")
    columns: list[str] | None = Field(None, description="column names, in order, for files without a header")
    user_column: str = Field("user_id", description="column with user IDs")
    item_column: str = Field("item_id", description="column with item IDs")
    time_column: str | None = Field(
        "timestamp", description="column with timestamps; null: rows are in chronological order"
    )
    time_format: str = Field(
        "auto",
        description="auto: ISO 8601, or numbers since 1970 by their size; seconds, milliseconds, microseconds, "
        "nanoseconds, iso8601, or a pattern such as '%m/%d/%Y %H:%M'",
    )
    null_values: list[str] = Field(
        [], description="ids that mean a missing value, such as NULL; such rows are malformed"
    )
    rating_column: str | None = Field(None, description="column with ratings; needs min_rating")
    min_rating: float | None = Field(None, description="rows with a lower rating are filtered out")
    event_column: str | None = Field(None, description="column with event types; needs events")
    events: list[str] | None = Field(None, description="rows with other event types are filtered out")
    since: _Moment | None = Field(None, description="earlier interactions are left out; ISO 8601, such as 2024-01-31")
    until: _Moment | None = Field(None, description="interactions at this time or later are left out; ISO 8601")
    last: str | None = Field(
        None,
        description="only interactions of this long before the newest one, such as 365d, 52w or 36h",
    )
    last_spans: int | None = Field(
        None,
        ge=1,
        description="of a pattern with {SPAN}, the number of latest spans that are read; unset: the latest one",
    )
    exclude_users: str | None = Field(
        None, description="text file with a user ID per line; interactions of these users are left out"
    )
    items: str | None = Field(
        None,
        description="file about items, CSV or Parquet: the column of item_column (or `item_id`, `id`), `title` (or "
        "`name`), and anything else",
    )
    max_bad_row_fraction: float = Field(
        0.0, ge=0, le=1, description="maximum fraction of malformed rows; above it the run fails"
    )
    shards: int | None = Field(
        None,
        ge=1,
        le=MAX_SHARDS,
        description="number of files of a split that ExampleGen and Transform write; a worker holds one in memory, and "
        f"as many workers can run in parallel; unset: one per 8 MB of input, up to {MAX_SHARDS:,}",
    )

    @field_validator("separator")
    @classmethod
    def _tab_may_be_escaped(cls, separator: str) -> str:
        # A shell passes a tab as a backslash and a letter.
        if not separator:
            raise ValueError("`data.separator` should not be empty")
        return separator.replace("\\t", "\t")

    @field_validator("time_format")
    @classmethod
    def _time_format_is_known(cls, time_format: str) -> str:
        if time_format in _TIME_FORMATS:
            return time_format
        try:
            if "%" not in time_format:
                raise ValueError
            now = datetime(2020, 9, 13, 12, 26, 40, tzinfo=timezone.utc)
            datetime.strptime(now.strftime(time_format), time_format)
        except ValueError:
            raise ValueError(
                f"`data.time_format` should be one of {', '.join(_TIME_FORMATS)}, or a pattern of strptime such as "
                f"'%m/%d/%Y %H:%M'. Received: {time_format!r}"
            ) from None
        return time_format

    @field_validator("encoding")
    @classmethod
    def _encoding_is_known(cls, encoding: str) -> str:
        try:
            known = encoding == "auto" or codecs.lookup(encoding)._is_text_encoding
        except (LookupError, ValueError):
            known = False
        if not known:
            raise ValueError(
                "`data.encoding` should be auto or an encoding that Python knows, such as utf-8, utf-16, windows-1252. "
                f"Received: {encoding!r}"
            )
        return encoding

    @field_validator("comment")
    @classmethod
    def _comment_is_not_empty(cls, comment: str | None) -> str | None:
        return comment or None

    @field_validator("since", "until")
    @classmethod
    def _moment_is_readable(cls, moment: str | None, info: ValidationInfo) -> str | None:
        if moment is not None and from_iso_8601(moment) is None:
            raise ValueError(
                f"`data.{info.field_name}` should be a date such as 2024-01-31, or ISO 8601 with a time. "
                f"Received: {moment!r}"
            )
        return moment

    @field_validator("last")
    @classmethod
    def _duration_is_readable(cls, last: str | None) -> str | None:
        if last is not None and not from_duration(last):
            raise ValueError(f"`data.last` should be a duration such as 365d, 52w or 36h. Received: {last!r}")
        return last

    @property
    def has_times(self) -> bool:
        """Whether interactions have times, and not only an order."""
        return self.time_column is not None and self.format != "sequences"

    @model_validator(mode="after")
    def _times_are_there(self) -> DataSettings:
        if (self.since or self.until or self.last) and not self.has_times:
            raise ValueError("`data.since`, `data.until` and `data.last` need times, that is `data.time_column`")
        if self.since and self.until and (from_iso_8601(self.since) or 0) >= (from_iso_8601(self.until) or 0):
            raise ValueError(f"`data.since` should be before `data.until`. Received: {self.since}, {self.until}")
        return self

    @model_validator(mode="after")
    def _filters_are_whole(self) -> DataSettings:
        if self.format == "sequences" and (self.rating_column or self.event_column):
            raise ValueError("`data.rating_column` and `data.event_column` do not exist in `data.format`=sequences")
        if not self.header and not self.columns and self.format not in ("parquet", "jsonl", "sequences"):
            raise ValueError("`data.columns` should name the columns if `data.header` is false")
        if (self.min_rating is None) != (self.rating_column is None):
            raise ValueError("`data.min_rating` and `data.rating_column` go together")
        if (self.events is None) != (self.event_column is None):
            raise ValueError("`data.events` and `data.event_column` go together")
        return self


class HistorySettings(Settings):
    """User histories (`components.example_gen.histories`); filters apply in this order."""

    min_item_interactions: int = Field(1, ge=1, description="items with fewer interactions are dropped")
    max_user_interactions: int = Field(
        10_000, ge=2, description="only this many most recent interactions of a user are kept"
    )
    repeated_items: Literal["keep", "first_only"] = Field(
        "keep", description="first_only: keep only the first interaction of a user with an item"
    )
    min_user_interactions: int = Field(2, ge=1, description="users with fewer interactions are dropped")


class SplitSettings(Settings):
    """Train, valid and test splits of each history (`components.example_gen.splits`)."""

    strategy: Literal["ratio", "leave_last", "time"] = Field(
        "ratio",
        description="ratio: by fractions of each history; leave_last: the last item is for test, the one before for "
        "valid (leave-one-out); time: what happened from a point in time on, for all users the same",
    )
    train: float = Field(0.7, gt=0, le=1, description="fraction of each history (ratio only)")
    valid: float = Field(0.1, ge=0, lt=1, description="fraction of each history; 0: no such split (ratio only)")
    test: float = Field(0.2, ge=0, lt=1, description="fraction of each history; 0: no such split (ratio only)")
    valid_from: float | _Moment = Field(
        0.8,
        description="start of valid: a date (ISO 8601), or a fraction of the time range of all interactions; the same "
        "as test_from: no such split (time only)",
    )
    test_from: float | _Moment = Field(
        0.9,
        description="start of test: a date (ISO 8601), or a fraction of the time range of all interactions; 1: no such "
        "split (time only)",
    )

    @field_validator("valid_from", "test_from")
    @classmethod
    def _start_is_readable(cls, start: float | str, info: ValidationInfo) -> float | str:
        readable = from_iso_8601(start) is not None if isinstance(start, str) else 0 < start <= 1
        if not readable:
            raise ValueError(
                f"`split.{info.field_name}` should be a date such as 2024-01-31, or a fraction above 0, at most 1. "
                f"Received: {start!r}"
            )
        return start

    @model_validator(mode="after")
    def _fractions_add_up_to_1(self) -> SplitSettings:
        total = self.train + self.valid + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"`split.train`, `split.valid` and `split.test` should add up to 1. Received: {total:g}")
        if self.strategy == "ratio" and not self.valid and not self.test:
            raise ValueError("`split.valid` and `split.test` should not both be 0. Received: 0")
        return self

    @model_validator(mode="after")
    def _starts_are_in_order(self) -> SplitSettings:
        starts = self.valid_from, self.test_from
        order = [from_iso_8601(start) if isinstance(start, str) else start for start in starts]
        if len({type(start) for start in starts}) == 1 and order[0] > order[1]:  # type: ignore[operator]
            raise ValueError(
                f"`split.valid_from` should not be after `split.test_from`. Received: {starts[0]}, {starts[1]}"
            )
        if self.strategy == "time" and starts == (1, 1):
            raise ValueError("`split.valid_from` and `split.test_from` should not both be 1. Received: 1")
        return self

    def has(self, split: str) -> bool:
        """Whether ExampleGen writes this split."""
        if self.strategy == "time" and split == VALID:
            return self.valid_from != self.test_from
        if self.strategy == "time" and split == TEST:
            return self.test_from != 1
        return self.strategy != "ratio" or getattr(self, split) > 0

    @property
    def evaluated(self) -> str:
        """The split that the Evaluator uses: test if configured, else valid."""
        return TEST if self.has(TEST) else VALID
