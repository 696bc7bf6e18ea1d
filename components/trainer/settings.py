"""Settings of the Trainer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from components.settings import Settings


class TrainerSettings(Settings):
    """How the model is fitted (`components.trainer.fit`)."""

    loss: Literal["auto", "softmax", "sampled_softmax", "bce"] = Field(
        "auto",
        description="softmax over all items, or over a sample; auto: over all where the scores of a batch fit 64 MiB; "
        "bce: binary cross-entropy with sampled negatives (the paper)",
    )
    negatives: int | None = Field(
        None, ge=1, description="sampled items; bce: per window, unset: 3; sampled_softmax: per batch, unset: 4096"
    )
    negatives_from: Literal["not_yet_met", "never_met", "all"] = Field(
        "not_yet_met",
        description="items that a target must beat; not_yet_met: those that the user had not met before, as when items "
        "are ranked; never_met: of these, those that the user does not meet later either",
    )
    epochs: int | None = Field(
        None,
        ge=1,
        description="the learning rate falls to 0 over these; unset: 4, up to 8 where there is little data "
        "(`components.trainer.defaults`)",
    )
    batch_size: int | None = Field(
        None, ge=1, description="unset: for about 1,000 steps per epoch, 64 to 512 (`components.trainer.defaults`)"
    )
    learning_rate: float = Field(4e-3, gt=0, description="the highest: a short rise, then a cosine down to 0")
    weight_decay: float = Field(
        0.2, ge=0, description="each step, all weights but biases shrink by this times the rate (AdamW)"
    )
    unknown_user_share: float = Field(0.05, ge=0, lt=1, description="users replaced by the unknown user while training")
    metric: Literal["map", "ndcg_at_10", "mrr", "recall_at_10"] = Field(
        "map", description="of the valid split: decides early stopping and which epoch's weights are kept"
    )
    patience: int = Field(3, ge=1, description="epochs without a better metric before training stops")
