"""Settings of ExampleGen."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from components.features import TEST, VALID
from components.settings import Settings


class DataSettings(Settings):
    """How a file of interactions is read (`components.example_gen.readers.reader`)."""

    format: Literal["auto", "csv", "parquet"] = Field(
        "auto", description="`auto`: by file name; .gz, .parquet and .parquet.gz are understood"
    )
    separator: str = Field(",", description="between the fields of a text file: ',', '\\t', '::', ...")
    header: bool = Field(True, description="the first line names the columns")
    columns: list[str] | None = Field(None, description="names of the columns, in order, where there is no header")
    user_column: str = "user_id"
    item_column: str = "item_id"
    time_column: str | None = Field("timestamp", description="null: the rows of the files are in true order")
    time_format: Literal["auto", "seconds", "milliseconds", "iso8601"] = Field(
        "auto", description="`auto`: ISO 8601 where it is not a number; milliseconds where numbers exceed 1e11"
    )
    rating_column: str | None = None
    min_rating: float | None = Field(None, description="rows with a lower rating are left out")
    event_column: str | None = None
    events: list[str] | None = Field(None, description="rows with another event are left out")
    max_bad_rows: float = Field(0.0, ge=0, le=1, description="share of unreadable rows above which the run fails")

    @field_validator("separator")
    @classmethod
    def _tab_may_be_escaped(cls, separator: str) -> str:
        # A shell passes a tab on as a backslash and a letter.
        if not separator:
            raise ValueError("`data.separator` should not be empty")
        return separator.replace("\\t", "\t")

    @model_validator(mode="after")
    def _filters_are_whole(self) -> DataSettings:
        if not self.header and not self.columns and self.format != "parquet":
            raise ValueError("`data.columns` must name the columns when `data.header` is false")
        if (self.min_rating is None) != (self.rating_column is None):
            raise ValueError("`data.min_rating` and `data.rating_column` go together")
        if (self.events is None) != (self.event_column is None):
            raise ValueError("`data.events` and `data.event_column` go together")
        return self


class HistorySettings(Settings):
    """How interactions become users' histories (`components.example_gen.histories`), in the order of these fields."""

    min_item_interactions: int = Field(1, ge=1, description="items with fewer interactions are dropped")
    max_per_user: int = Field(10_000, ge=2, description="only the newest of a user are kept")
    repeats: Literal["keep", "drop"] = Field(
        "keep", description="`drop`: only the first time a user met an item counts"
    )
    min_user_interactions: int = Field(2, ge=1, description="users with fewer interactions are dropped")


class SplitSettings(Settings):
    """How a history is divided into train, valid and test (`components.example_gen.splits`)."""

    strategy: Literal["ratio", "leave_last"] = "ratio"
    train: float = Field(0.7, gt=0, le=1, description="share of a user's history (ratio only)")
    valid: float = Field(0.1, ge=0, lt=1, description="share of a user's history; 0: no such split (ratio only)")
    test: float = Field(0.2, ge=0, lt=1, description="share of a user's history; 0: no such split (ratio only)")

    @model_validator(mode="after")
    def _shares_make_a_whole(self) -> SplitSettings:
        total = self.train + self.valid + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"`split.train`, `split.valid` and `split.test` should add up to 1. Received: {total:g}")
        if self.strategy == "ratio" and not self.valid and not self.test:
            raise ValueError(
                "`split.valid` and `split.test` should not both be 0: something must be left to evaluate on"
            )
        return self

    def has(self, split: str) -> bool:
        """Whether ExampleGen makes this split."""
        return self.strategy == "leave_last" or getattr(self, split) > 0

    @property
    def evaluated(self) -> str:
        """The split that the finished model is judged on: test where there is one, else valid."""
        return TEST if self.has(TEST) else VALID
