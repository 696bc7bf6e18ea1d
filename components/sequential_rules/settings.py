"""Settings of the sequential-rules baseline."""

from __future__ import annotations

from pydantic import Field

from components.settings import Settings


class SequentialRulesSettings(Settings):
    """Sequential-rules baseline (`components.sequential_rules`).

    Defaults were tuned on the validation split of MovieLens-1M.
    """

    enabled: bool = Field(True, description="false: popularity is the only baseline")
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
    max_memory_gb: float = Field(
        4.0, gt=0, description="the baseline is skipped if it could need more memory (36 bytes per counted pair)"
    )
