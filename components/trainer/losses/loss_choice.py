"""Which loss a catalogue can afford, and how many negatives it takes."""

from __future__ import annotations

from typing import Literal, NamedTuple

from components.trainer.defaults import LARGEST_BATCH
from components.trainer.settings import TrainerSettings

# Full softmax scores every item for every window of a batch: 64 MiB are 32,768 items at 512 windows. A step of that
# size takes a few tenths of a second on two cores; beyond, sampling costs less than it loses.
_FULL_SOFTMAX_BYTES = 64 << 20
_NEGATIVES = {"softmax": 0, "bce": 3, "sampled_softmax": 4096}


class LossChoice(NamedTuple):
    """A loss by name, and its negatives: per window (bce) or per batch (sampled_softmax); 0 without sampling."""

    loss: Literal["softmax", "sampled_softmax", "bce"]
    negatives: int

    def __str__(self) -> str:
        """For people."""
        per = "window" if self.loss == "bce" else "batch"
        return f"{self.loss}, {self.negatives} negatives per {per}" if self.negatives else f"full {self.loss}"


def chosen_loss(settings: TrainerSettings, n_items: int) -> LossChoice:
    """Decides what `auto` and unset mean.

    Args:
        settings: of the Trainer.
        n_items: size of the catalogue.

    Returns:
        The loss.
    """
    loss = settings.loss
    if loss == "auto":
        fits = 4 * n_items * (settings.batch_size or LARGEST_BATCH) <= _FULL_SOFTMAX_BYTES
        loss = "softmax" if fits else "sampled_softmax"
    return LossChoice(loss, (settings.num_negatives or _NEGATIVES[loss]) if loss != "softmax" else 0)
