"""Settings of Transform."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from components.settings import Settings


class WindowSettings(Settings):
    """Sliding windows over a history (`components.transform.windows`); names of the paper, section 3.1."""

    L: int = Field(5, ge=1, description="items that go in")
    T: int = Field(3, ge=1, description="next items to predict")
    targets: Literal["partial", "full"] = Field(
        "partial",
        description="partial: the newest windows of a history have fewer than T targets; full: they are left out, as "
        "in the paper",
    )
