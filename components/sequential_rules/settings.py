"""Settings of the sequential rules."""

from __future__ import annotations

from pydantic import Field

from components.settings import Settings

# Each was the best on the valid split of some data set; changes to the configured settings.
_ALTERNATIVES: tuple[dict[str, float], ...] = (
    {"earlier_discount": 0.4},
    {"earlier_discount": 0.4, "later_discount": 0.0},
    {"earlier_discount": 0.3, "later_discount": 0.1, "history_decay": 0.6},
    {"history_decay": 1.2, "window_decay": 0.8},
    {"window": 5},
)


class SequentialRulesSettings(Settings):
    """Sequential rules: a baseline, and a part of the served model (`components.sequential_rules`).

    Defaults were tuned on the validation split of MovieLens-1M.
    """

    enabled: bool = Field(True, description="false: neither a baseline nor a part of the served model")
    tune: bool = Field(
        True,
        description="choose between these parameters and five other settings of them by `trainer.monitor` on the valid "
        "split; without a valid split they are taken as they are",
    )
    history: int = Field(20, ge=1, description="number of most recent items of a user that are used")
    history_decay: float = Field(0.8, ge=0, description="the k-th most recent item has weight k ** -history_decay")
    window: int = Field(20, ge=1, description="maximum distance at which an item counts as following another")
    window_decay: float = Field(0.4, ge=0, description="an item at distance j has weight j ** -window_decay")
    earlier_discount: float = Field(
        0.7, ge=0, le=1, description="counts are divided by the earlier item's frequency ** this"
    )
    later_discount: float = Field(
        0.3, ge=0, le=1, description="counts are divided by the later item's frequency ** this"
    )
    max_followers: int = Field(
        256, ge=1, description="followers kept per item, those with the highest weight (8 bytes each)"
    )
    max_memory_gb: float = Field(
        4.0,
        gt=0,
        description="if counting could need more memory (36 bytes per counted pair), the items are counted in blocks; "
        "the rules are skipped if these are more than 16",
    )

    def candidates(self) -> list[SequentialRulesSettings]:
        """The settings to choose from; these ones are the first."""
        return [self, *(self.model_copy(update=change) for change in _ALTERNATIVES)]
