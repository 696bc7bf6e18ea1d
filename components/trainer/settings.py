"""Settings of the Trainer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from components.settings import Settings

Distribution = Literal["none", "mirrored", "multi_worker"]
DTypePolicy = Literal["float32", "mixed_bfloat16"]


class TrainerSettings(Settings):
    """Training (`components.trainer`)."""

    auto: bool = Field(
        True,
        description="where histories are neither short nor long, train with both sets of defaults and keep the better "
        "model by `monitor`; false: the length of histories decides",
    )
    auto_minutes: float = Field(5.0, ge=0, description="no second training if the first one took longer")
    loss: Literal["auto", "softmax", "sampled_softmax", "bce"] = Field(
        "auto",
        description="softmax: over all items; sampled_softmax: over a sample of items; bce: binary cross-entropy with "
        "sampled negatives (the paper); auto: softmax if the logits of a batch fit into 64 MiB, and windows "
        "times items are at most 1e10, else sampled_softmax",
    )
    num_negatives: int | None = Field(
        None,
        ge=1,
        description="sampled negatives; bce: per window, unset: 3; sampled_softmax: shared by a batch, unset: 4096",
    )
    exclude_from_negatives: Literal["past", "past_and_future", "none"] | None = Field(
        None,
        description="which of the user's own interactions never serve as negatives; past: earlier ones; "
        "past_and_future: all of them; unset: as in the evaluation, past, or none if recommend.exclude_seen is false",
    )
    epochs: int | None = Field(
        None,
        ge=1,
        description="the learning rate decays to 0 over this many epochs; unset: 4, or 6 with short histories, or up "
        "to 8 if there is little data",
    )
    batch_size: int | None = Field(
        None, ge=1, description="unset: for about 1,000 steps per epoch, or 500 with short histories; 64 to 512"
    )
    learning_rate: float | None = Field(
        None,
        gt=0,
        description="peak learning rate: linear warm-up, then cosine decay to 0; unset: 0.006 with short histories, "
        "else 0.004",
    )
    weight_decay: float = Field(0.2, ge=0, description="decoupled weight decay (AdamW) of all weights except biases")
    unknown_user_rate: float = Field(
        0.05,
        ge=0,
        lt=1,
        description="fraction of training rows whose user is replaced by the unknown user",
    )
    warm_start: bool = Field(
        False,
        description="train from the weights of the last blessed model; IDs that it does not know get new ones",
    )
    warm_start_epochs: int | None = Field(
        None, ge=1, description="epochs of a warm start; unset: a quarter of those from scratch"
    )
    monitor: Literal["map", "ndcg_at_10", "mrr", "recall_at_10"] = Field(
        "map", description="metric of the valid split that decides early stopping and which epoch is kept"
    )
    patience: int = Field(3, ge=1, description="early-stopping patience in epochs")
    distribution: Distribution = Field(
        "none",
        description="data-parallel training; mirrored: all GPUs of the machine; multi_worker: the workers in TF_CONFIG",
    )
    dtype_policy: DTypePolicy = Field(
        "float32",
        description="mixed_bfloat16: training computes products of matrices in bfloat16 (mixed precision), for "
        "processors that are faster with it; weights, validation and the exported model stay float32",
    )
    max_memory_gb: float | None = Field(
        None,
        gt=0,
        description="training data that takes more memory is read as a stream; unset: an eighth of the memory of the "
        "machine or container",
    )

    def resolved(self, exclude_seen: bool) -> TrainerSettings:
        """Fills in what is unset and depends on what may be recommended.

        Args:
            exclude_seen: whether items of a history are not recommended.
        """
        default = "past" if exclude_seen else "none"
        return self.model_copy(update={"exclude_from_negatives": self.exclude_from_negatives or default})
