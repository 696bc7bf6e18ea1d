"""Settings of the exported model."""

from __future__ import annotations

from pydantic import Field

from components.settings import Settings


class ExportSettings(Settings):
    """Outputs of the exported model (`components.export`)."""

    k: int = Field(100, ge=1, description="number of recommendations per request (at most the catalogue size)")
