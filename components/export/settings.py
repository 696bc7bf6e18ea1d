"""Settings of the exported model."""

from __future__ import annotations

from pydantic import Field

from components.settings import Settings


class ExportSettings(Settings):
    """What the exported model answers (`components.export.signatures`)."""

    k: int = Field(100, ge=1, description="items in one answer, at most the catalogue")
