"""Settings of the sequential-rules baseline."""

from __future__ import annotations

from pydantic import Field

from components.settings import Settings


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
