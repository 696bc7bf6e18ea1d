"""Settings of the Pusher."""

from __future__ import annotations

from pydantic import Field

from components.settings import Settings


class PusherSettings(Settings):
    """Where a blessed model goes (`components.pusher.component`)."""

    enabled: bool = True
    keep: int = Field(
        3, ge=1, description="versions that stay; older ones are removed, but for those that models.config names"
    )
