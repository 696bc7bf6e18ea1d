"""Settings of the sliding windows."""

from __future__ import annotations

from pydantic import Field

from components.settings import Settings

_MOST_TARGETS = 3


class WindowSettings(Settings):
    """Sliding windows (`components.model.windows`); symbols as in the paper, section 3.1."""

    L: int = Field(5, ge=1, description="number of input items")
    T: int | None = Field(
        None,
        ge=1,
        description="number of target items; unset: 3, or 1 with short histories if items are rare or one item per "
        "user is held out",
    )
    partial_sequences: bool = Field(
        True,
        description="add the first windows of a history, which have fewer than L input items: with short histories "
        "they are half of all windows; false: no such windows, as in the paper",
    )
    partial_targets: bool = Field(
        True,
        description="add the last windows of a history, which have fewer than T targets; false: no such windows, as in "
        "the paper",
    )

    @property
    def most_targets(self) -> int:
        """Number of target items at most; the Trainer may use fewer."""
        return self.T or _MOST_TARGETS
