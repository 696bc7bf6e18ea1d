"""Settings of ExampleGen."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from components.features import TEST, VALID
from components.settings import Settings


class DataSettings(Settings):
    """Interaction files (`components.example_gen.readers`)."""

    format: Literal["auto", "csv", "parquet"] = Field(
        "auto", description="auto: by file extension; each format may be gzipped"
    )
    separator: str = Field(",", description="field separator of text files: ',', '\\t', '::', ...")
    header: bool = Field(True, description="whether the first line holds the column names")
    columns: list[str] | None = Field(None, description="column names, in order, for files without a header")
    user_column: str = Field("user_id", description="column with user IDs")
    item_column: str = Field("item_id", description="column with item IDs")
    time_column: str | None = Field(
        "timestamp", description="column with timestamps; null: rows are in chronological order"
    )
    time_format: Literal["auto", "seconds", "milliseconds", "iso8601"] = Field(
        "auto", description="auto: ISO 8601 unless numeric; numbers above 1e11 are milliseconds"
    )
    rating_column: str | None = Field(None, description="column with ratings; needs min_rating")
    min_rating: float | None = Field(None, description="rows with a lower rating are filtered out")
    event_column: str | None = Field(None, description="column with event types; needs events")
    events: list[str] | None = Field(None, description="rows with other event types are filtered out")
    max_bad_row_fraction: float = Field(
        0.0, ge=0, le=1, description="maximum fraction of malformed rows; above it the run fails"
    )

    @field_validator("separator")
    @classmethod
    def _tab_may_be_escaped(cls, separator: str) -> str:
        # A shell passes a tab as a backslash and a letter.
        if not separator:
            raise ValueError("`data.separator` should not be empty")
        return separator.replace("\\t", "\t")

    @model_validator(mode="after")
    def _filters_are_whole(self) -> DataSettings:
        if not self.header and not self.columns and self.format != "parquet":
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
