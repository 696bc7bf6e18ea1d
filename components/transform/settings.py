"""Settings of Transform."""

from __future__ import annotations

from pydantic import Field

from components.settings import Settings


class WindowSettings(Settings):
    """Sliding windows (`components.transform.windows`); symbols as in the paper, section 3.1."""

    L: int = Field(5, ge=1, description="number of input items")
    T: int = Field(3, ge=1, description="number of target items")
    partial_targets: bool = Field(
        True,
        description="keep the last windows of a history, which have fewer than T targets; false: drop them, as in the "
        "paper",
    )
