"""Settings of the Tuner."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import Field, field_validator

from components.settings import Settings

Value = bool | int | float | str

# Settings by dotted key, and the values that are tried besides the configured ones.
SEARCH_SPACE: Mapping[str, tuple[Value, ...]] = MappingProxyType(
    {
        "windows.L": (3, 4, 5, 7, 10),
        "windows.T": (1, 2, 3),
        "model.d": (50, 75, 100, 150),
        "model.horizontal_filters": (4, 8, 16, 32),
        "model.vertical_filters": (2, 4, 8),
        "model.normalize": (False, True),
        "model.dense_activation": ("identity", "relu"),
        "model.dropout": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7),
        "model.embedding_dropout": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6),
        "model.user_dropout": (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98),
        "trainer.epochs": (3, 4, 6, 8),
        "trainer.learning_rate": (0.001, 0.0015, 0.002, 0.003, 0.004, 0.006, 0.008, 0.012),
        "trainer.weight_decay": (0.02, 0.05, 0.1, 0.2, 0.4, 0.8),
    }
)


class TunerSettings(Settings):
    """Search for hyperparameters (`components.tuner`)."""

    enabled: bool = Field(
        False, description="search for hyperparameters before the training; `caser tune` does only that"
    )
    trials: int = Field(20, ge=1, description="number of trainings; more of them later continue the search")
    parameters: list[str] | None = Field(
        None, description="settings that are tuned, such as [model.d, trainer.learning_rate]; unset: all of the space"
    )

    @field_validator("parameters")
    @classmethod
    def _parameters_are_known(cls, parameters: list[str] | None) -> list[str] | None:
        unknown = [name for name in parameters or [] if name not in SEARCH_SPACE]
        if unknown or parameters == []:
            raise ValueError(
                f"`tuner.parameters` should name some of {', '.join(SEARCH_SPACE)}. Received: {parameters}"
            )
        return parameters
