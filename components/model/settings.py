"""Settings of the model."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from components.settings import Settings

# Tables of more rows are several gigabytes at the larger width, optimiser included.
_WIDTH, _LARGE_CATALOGUE, _WIDTH_OF_LARGE = 100, 200_000, 50

Activation = Literal["relu", "sigmoid", "tanh", "identity"]


class ModelSettings(Settings):
    """Shape of Caser (`components.model.caser`); symbols of the paper, section 3.2."""

    d: int | None = Field(
        None,
        ge=1,
        description="width of the embeddings; unset: 100, or 50 above 200,000 items (`components.trainer.defaults`)",
    )
    heights: list[int] | None = Field(None, description="heights of the horizontal filters; unset: 1 to L")
    horizontal_filters: int = Field(16, ge=0, description="filters per height (n_h of the paper)")
    vertical_filters: int = Field(4, ge=0, description="vertical filters (n_v of the paper)")
    convolution_activation: Activation = "relu"
    dense_activation: Activation = "relu"
    dropout: float = Field(0.5, ge=0, lt=1, description="on the output of the convolutions")
    embedding_dropout: float = Field(0.3, ge=0, lt=1, description="on the embedded items")
    user_dropout: float = Field(0.5, ge=0, lt=1, description="on the user's embedding")
    tied_embeddings: bool = Field(
        True,
        description="items are scored by the embedding by which they go in, beside the user's; false: by one of their "
        "own, as in the paper",
    )
    l2: float = Field(0.0, ge=0, description="weight of the squared norms in the loss, as in the paper")

    @model_validator(mode="after")
    def _has_filters(self) -> ModelSettings:
        if not self.horizontal_filters and not self.vertical_filters:
            raise ValueError("`model.horizontal_filters` and `model.vertical_filters` should not both be 0")
        if self.heights is not None and (not self.heights or min(self.heights) < 1):
            raise ValueError(f"`model.heights` should be a list of numbers from 1 to L. Received: {self.heights}")
        return self


def width_for(n_items: int) -> int:
    """Width of the embeddings: 100, and 50 above 200,000 items.

    Args:
        n_items: size of the catalogue.
    """
    return _WIDTH if n_items <= _LARGE_CATALOGUE else _WIDTH_OF_LARGE
