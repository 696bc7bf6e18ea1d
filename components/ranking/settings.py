"""Settings of what may be recommended."""

from __future__ import annotations

from pydantic import Field

from components.settings import Settings


class RecommendSettings(Settings):
    """What may be recommended, in training, evaluation, baselines and the served model (`components.ranking`)."""

    exclude_seen: bool = Field(
        True,
        description="never recommend items of the user's history; false: where people come back to the same item",
    )
    blocklist: str | None = Field(
        None, description="text file with an item ID per line; these items are never recommended, whatever the request"
    )
