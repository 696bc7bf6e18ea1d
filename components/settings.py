"""What can be configured, one class per node's concern; `pipeline.config` composes them into the one YAML file."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from components.features import TEST, VALID


class Settings(BaseModel):
    """Base of all settings: immutable, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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


class WindowSettings(Settings):
    """Sliding windows over a history (`components.transform.windows`); names of the paper, section 3.1."""

    L: int = Field(5, ge=1, description="items that go in")
    T: int = Field(3, ge=1, description="next items to predict")
    targets: Literal["partial", "full"] = Field(
        "partial",
        description="partial: the newest windows of a history have fewer than T targets; full: they are left out, as "
        "in the paper",
    )


Activation = Literal["relu", "sigmoid", "tanh", "identity"]


class ModelSettings(Settings):
    """Shape of Caser (`components.model.caser`); symbols of the paper, section 3.2."""

    d: int | None = Field(
        None,
        ge=1,
        description="width of the embeddings; unset: 100, or 50 above 200,000 items (`components.trainer.defaults`)",
    )
    heights: list[int] | None = Field(None, description="heights of the horizontal filters; unset: 1 to L")
    horizontal_filters: int = Field(16, ge=0, description="filters per height (n_h of the paper)")
    vertical_filters: int = Field(4, ge=0, description="vertical filters (n_v of the paper)")
    convolution_activation: Activation = "relu"
    dense_activation: Activation = "relu"
    dropout: float = Field(0.5, ge=0, lt=1, description="on the output of the convolutions")
    embedding_dropout: float = Field(0.3, ge=0, lt=1, description="on the embedded items")
    user_dropout: float = Field(0.5, ge=0, lt=1, description="on the user's embedding")
    tied_embeddings: bool = Field(
        True,
        description="items are scored by the embedding by which they go in, beside the user's; false: by one of their "
        "own, as in the paper",
    )
    l2: float = Field(0.0, ge=0, description="weight of the squared norms in the loss, as in the paper")

    @model_validator(mode="after")
    def _has_filters(self) -> ModelSettings:
        if not self.horizontal_filters and not self.vertical_filters:
            raise ValueError("`model.horizontal_filters` and `model.vertical_filters` should not both be 0")
        if self.heights is not None and (not self.heights or min(self.heights) < 1):
            raise ValueError(f"`model.heights` should be a list of numbers from 1 to L. Received: {self.heights}")
        return self


class TrainerSettings(Settings):
    """How the model is fitted (`components.trainer.fit`)."""

    loss: Literal["auto", "softmax", "sampled_softmax", "bce"] = Field(
        "auto",
        description="softmax over all items, or over a sample; auto: over all where the scores of a batch fit 64 MiB; "
        "bce: binary cross-entropy with sampled negatives (the paper)",
    )
    negatives: int | None = Field(
        None, ge=1, description="sampled items; bce: per window, unset: 3; sampled_softmax: per batch, unset: 4096"
    )
    negatives_from: Literal["not_yet_met", "never_met", "all"] = Field(
        "not_yet_met",
        description="items that a target must beat; not_yet_met: those that the user had not met before, as when items "
        "are ranked; never_met: of these, those that the user does not meet later either",
    )
    epochs: int | None = Field(
        None,
        ge=1,
        description="the learning rate falls to 0 over these; unset: 4, up to 8 where there is little data "
        "(`components.trainer.defaults`)",
    )
    batch_size: int | None = Field(
        None, ge=1, description="unset: for about 1,000 steps per epoch, 64 to 512 (`components.trainer.defaults`)"
    )
    learning_rate: float = Field(4e-3, gt=0, description="the highest: a short rise, then a cosine down to 0")
    weight_decay: float = Field(
        0.2, ge=0, description="each step, all weights but biases shrink by this times the rate (AdamW)"
    )
    unknown_user_share: float = Field(0.05, ge=0, lt=1, description="users replaced by the unknown user while training")
    metric: Literal["map", "ndcg_at_10", "mrr", "recall_at_10"] = Field(
        "map", description="of the valid split: decides early stopping and which epoch's weights are kept"
    )
    patience: int = Field(3, ge=1, description="epochs without a better metric before training stops")


class ExportSettings(Settings):
    """What the exported model answers (`components.export.signatures`)."""

    k: int = Field(100, ge=1, description="items in one answer, at most the catalogue")


class EvaluatorSettings(Settings):
    """When a model is blessed (`components.evaluator.config`)."""

    metric: Literal["map", "ndcg_at_10", "recall_at_10", "hit_rate_at_10", "mrr", "next_item_ndcg_at_10"] = Field(
        "map", description="what the thresholds below are about"
    )
    min_value: float = Field(0.0, ge=0, le=1, description="not blessed below this")
    min_margin: float | None = Field(
        0.0, description="not blessed unless better than popularity by at least this (absolute); null: not asked"
    )
    min_change: float | None = Field(
        -0.01, description="not blessed unless the change against the last blessed model is at least this (absolute)"
    )


class MarkovSettings(Settings):
    """The counting baseline (`components.sequential_rules`); defaults tuned on the validation split of MovieLens-1M."""

    enabled: bool = Field(True, description="false: no such node, and nothing to compare with but popularity")
    history: int = Field(20, ge=1, description="newest items of a user that are looked at")
    history_decay: float = Field(0.8, ge=0, description="an item k steps back counts k ** -history_decay")
    window: int = Field(20, ge=1, description="how far behind an item another one still counts as following it")
    window_decay: float = Field(0.4, ge=0, description="an item j places behind counts j ** -window_decay")
    earlier_discount: float = Field(
        0.7, ge=0, le=1, description="counts are divided by frequency ** this: earlier item"
    )
    later_discount: float = Field(0.3, ge=0, le=1, description="the same for the item that follows")
    max_memory_gb: float = Field(
        4.0, gt=0, description="skipped where it could need more: 36 bytes per pair of items, or of places in a window"
    )


class PusherSettings(Settings):
    """Where a blessed model goes (`components.pusher.component`)."""

    enabled: bool = True
    keep: int = Field(
        3, ge=1, description="versions that stay; older ones are removed, but for those that models.config names"
    )
