"""Settings of the neighbourhood baseline."""

from __future__ import annotations

from pydantic import Field

from components.settings import Settings

# Each was the best on the valid split of some data set; changes to the configured settings.
_ALTERNATIVES: tuple[dict[str, float], ...] = (
    {"history_decay": 2.0},
    {"history_decay": 10.0},
    {"distance_decay": 4.0},
    {"idf": 1.0},
)


class NeighboursSettings(Settings):
    """Neighbourhood baseline (`components.neighbours`)."""

    enabled: bool = Field(True, description="false: not a baseline")
    tune: bool = Field(
        True,
        description="choose between these parameters and four other settings of them by `trainer.monitor` on the valid "
        "split; without a valid split they are taken as they are",
    )
    neighbours: int = Field(200, ge=1, description="number of most similar training histories that are used")
    history: int = Field(20, ge=1, description="number of most recent items of a user that are used")
    history_decay: float = Field(
        4.0, gt=0, description="the k-th most recent item, from 0, has weight exp(-k / history_decay)"
    )
    distance_decay: float = Field(
        10.0,
        gt=0,
        description="an item at distance j from the shared item in a neighbour's history has weight "
        "exp(-j / distance_decay)",
    )
    idf: float = Field(0.5, ge=0, description="scores are multiplied by the inverse document frequency ** this")
    max_users: int = Field(
        100_000, ge=1, description="the baseline is skipped with more training users: its time grows with their square"
    )
    max_memory_gb: float = Field(
        4.0,
        gt=0,
        description="the baseline is skipped if it could need more memory (24 bytes per training interaction)",
    )

    def candidates(self) -> list[NeighboursSettings]:
        """The settings to choose from; these ones are the first."""
        return [self, *(self.model_copy(update=change) for change in _ALTERNATIVES)]
