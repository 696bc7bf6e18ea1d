"""Settings of the refit."""

from __future__ import annotations

from pydantic import Field

from components.settings import Settings


class RefitSettings(Settings):
    """Refit: the blessed configuration, trained on all interactions, is what is pushed (`components.refit_trainer`)."""

    enabled: bool = Field(False, description="train once more, on held-out interactions too, and push that model")
    min_overlap: float = Field(
        0.3,
        ge=0,
        le=1,
        description="minimum mean fraction of the evaluated model's top 10 that is in the top 10 of the refitted one",
    )
    min_coverage: float = Field(
        0.5,
        ge=0,
        le=1,
        description="minimum coverage@10 of the refitted model as a fraction of the evaluated model's",
    )
