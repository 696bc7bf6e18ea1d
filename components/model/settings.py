"""Settings of the model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from components.settings import Settings

# Above this catalogue size, embeddings of dimension 100 and their optimizer state would take several gigabytes.
_DIM, _LARGE_CATALOGUE, _LARGE_CATALOGUE_DIM = 100, 200_000, 50

Activation = Literal["relu", "sigmoid", "tanh", "identity"]


class ModelSettings(Settings):
    """Hyperparameters of Caser (`components.model`); symbols as in the paper, section 3.2."""

    d: int | None = Field(
        None,
        ge=1,
        description="embedding dimension; unset: 100, or 50 above 200,000 items",
    )
    heights: list[int] | None = Field(None, description="heights of the horizontal filters; unset: 1 to L")
    horizontal_filters: int = Field(16, ge=0, description="horizontal filters per height (n_h in the paper)")
    vertical_filters: int = Field(4, ge=0, description="number of vertical filters (n_v in the paper)")
    normalize: bool | None = Field(
        None,
        description="item embeddings and z have length 1: scores are cosines times a learned scale; needs "
        "tied_embeddings; unset: true with short histories",
    )
    convolution_activation: Activation = Field("relu", description="activation of both convolutions")
    dense_activation: Activation | None = Field(
        None, description="activation of the fully connected layer; unset: identity with short histories, else relu"
    )
    dropout: float = Field(0.5, ge=0, lt=1, description="dropout rate on the output of the convolutions")
    embedding_dropout: float = Field(0.3, ge=0, lt=1, description="dropout rate on the item embeddings")
    user_dropout: float | None = Field(
        None, ge=0, lt=1, description="dropout rate on the user embedding; unset: 0.95 with short histories, else 0.5"
    )
    tied_embeddings: bool = Field(
        True,
        description="score items with the input item embedding (weight tying); false: learn a separate output "
        "embedding, as in the paper",
    )
    rules: Literal["auto", "none"] | Annotated[float, Field(ge=0)] = Field(
        "auto",
        description="weight of the sequential rules in the served scores; auto: the best on the valid split, or 1 "
        "without one; none: Caser alone",
    )
    l2: float = Field(0.0, ge=0, description="L2 regularization factor, as in the paper")

    @model_validator(mode="after")
    def _has_filters(self) -> ModelSettings:
        if not self.horizontal_filters and not self.vertical_filters:
            raise ValueError("`model.horizontal_filters` and `model.vertical_filters` should not both be 0")
        if self.normalize and not self.tied_embeddings:
            raise ValueError("`model.normalize` needs `model.tied_embeddings`")
        if self.heights is not None and (not self.heights or min(self.heights) < 1):
            raise ValueError(f"`model.heights` should be a list of numbers from 1 to L. Received: {self.heights}")
        return self

    def resolved(self, short_histories: bool = False) -> ModelSettings:
        """Fills in what is unset and depends on the data.

        Args:
            short_histories: see `components.trainer.defaults`.
        """
        defaults = {
            "normalize": short_histories and self.tied_embeddings,
            "dense_activation": "identity" if short_histories else "relu",
            "user_dropout": 0.95 if short_histories else 0.5,
        }
        unset = {name: value for name, value in defaults.items() if getattr(self, name) is None}
        return self.model_copy(update=unset)


def default_embedding_dim(n_items: int) -> int:
    """Default embedding dimension: 100, or 50 above 200,000 items.

    Args:
        n_items: number of items in the catalogue.
    """
    return _DIM if n_items <= _LARGE_CATALOGUE else _LARGE_CATALOGUE_DIM
