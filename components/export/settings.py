"""Settings of the exported model."""

from __future__ import annotations

from pydantic import Field

from components.settings import Settings


class ExportSettings(Settings):
    """Outputs of the exported model (`components.export`)."""

    k: int = Field(100, ge=1, description="number of recommendations per request (at most the catalogue size)")
    exact_below: int = Field(
        200_000,
        ge=1,
        description="larger catalogues are served by an approximate index, if it finds at least 98 % of the exact top "
        "100 of validation users",
    )
