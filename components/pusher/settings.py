"""Settings of the Pusher."""

from __future__ import annotations

from pydantic import Field

from components.settings import Settings


class PusherSettings(Settings):
    """How blessed models are published (`components.pusher`)."""

    enabled: bool = Field(True, description="false: no Pusher; blessed models are not published")
    keep: int = Field(
        3, ge=1, description="number of versions to keep; versions named in models.config are never removed"
    )
