"""Settings of the drift checks."""

from __future__ import annotations

from pydantic import Field, model_validator

from components.settings import Settings


class DriftSettings(Settings):
    """Drift checks: the data of a run against that of the last blessed model (`components.drift_validator`).

    A violation blocks the push, not the report.
    """

    enabled: bool = Field(False, description="compare the data with that of the last blessed model")
    min_size: float = Field(0.5, ge=0, description="minimum number of interactions, as a multiple of the number then")
    max_size: float = Field(2.0, gt=0, description="maximum number of interactions, as a multiple of the number then")
    max_unknown_users: float = Field(
        0.5, ge=0, le=1, description="maximum fraction of users that the last blessed model does not know"
    )
    max_unknown_items: float = Field(
        0.2,
        ge=0,
        le=1,
        description="maximum fraction of interactions with items that the last blessed model does not know",
    )
    max_popularity_divergence: float = Field(
        0.1,
        ge=0,
        le=1,
        description="maximum Jensen-Shannon divergence between the distributions of interactions over items",
    )
    max_length_distance: float = Field(
        0.25,
        ge=0,
        le=1,
        description="maximum distance (Kolmogorov-Smirnov) between the distributions of history lengths",
    )

    @model_validator(mode="after")
    def _sizes_are_in_order(self) -> DriftSettings:
        if self.min_size > self.max_size:
            raise ValueError(
                f"`drift.min_size` should not exceed `drift.max_size`. Received: {self.min_size:g}, {self.max_size:g}"
            )
        return self
