"""Settings of the report."""

from __future__ import annotations

from pydantic import Field

from components.settings import Settings


class ReportSettings(Settings):
    """The HTML report."""

    users: int = Field(
        300,
        ge=0,
        description="users of the evaluated split in the report's explorer, with their histories; 0: no explorer",
    )
