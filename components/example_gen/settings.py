"""Settings of ExampleGen."""

from __future__ import annotations

import codecs
from datetime import datetime, timezone
from typing import Literal

from pydantic import Field, field_validator, model_validator

from components.features import TEST, VALID
from components.settings import Settings

MAX_SHARDS = 4096

_TIME_FORMATS = ("auto", "seconds", "milliseconds", "microseconds", "nanoseconds", "iso8601")


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

    strategy: Literal["ratio", "leave_last"] = Field(
        "ratio",
        description="ratio: by fractions of each history; leave_last: the last item is for test, the one before for "
        "valid (leave-one-out)",
    )
    train: float = Field(0.7, gt=0, le=1, description="fraction of each history (ratio only)")
    valid: float = Field(0.1, ge=0, lt=1, description="fraction of each history; 0: no such split (ratio only)")
    test: float = Field(0.2, ge=0, lt=1, description="fraction of each history; 0: no such split (ratio only)")

    @model_validator(mode="after")
    def _fractions_add_up_to_1(self) -> SplitSettings:
        total = self.train + self.valid + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"`split.train`, `split.valid` and `split.test` should add up to 1. Received: {total:g}")
        if self.strategy == "ratio" and not self.valid and not self.test:
            raise ValueError("`split.valid` and `split.test` should not both be 0. Received: 0")
        return self

    def has(self, split: str) -> bool:
        """Whether ExampleGen writes this split."""
        return self.strategy == "leave_last" or getattr(self, split) > 0

    @property
    def evaluated(self) -> str:
        """The split that the Evaluator uses: test if configured, else valid."""
        return TEST if self.has(TEST) else VALID
