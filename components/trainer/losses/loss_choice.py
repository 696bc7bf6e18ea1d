"""Resolves `loss: auto` and the default number of negatives."""

from __future__ import annotations

from typing import Literal, NamedTuple

from components.trainer.defaults import LARGEST_BATCH
from components.trainer.settings import TrainerSettings

# Limits of full softmax; beyond them, sampled softmax is the better trade-off. A batch of logits over all items: 32,768
# items at batch size 512, a few tenths of a second on two cores. Scores in an epoch: some minutes.
_FULL_SOFTMAX_BYTES, _FULL_SOFTMAX_SCORES = 64 << 20, 10**10
_NEGATIVES = {"softmax": 0, "bce": 3, "sampled_softmax": 4096}


class LossChoice(NamedTuple):
    """The loss and its number of negatives: per window (bce), per batch (sampled_softmax), or 0 (softmax)."""

    loss: Literal["softmax", "sampled_softmax", "bce"]
    negatives: int

    def __str__(self) -> str:
        """For the log and the report, such as `full softmax`."""
        per = "window" if self.loss == "bce" else "batch"
        return f"{self.loss}, {self.negatives} negatives per {per}" if self.negatives else f"full {self.loss}"


def resolve_loss(settings: TrainerSettings, n_items: int, windows: int) -> LossChoice:
    """Resolves `auto` and unset values.

    Args:
        settings: settings of the Trainer.
        n_items: number of items in the catalogue.
        windows: number of training windows.

    Returns:
        The loss to train with.
    """
    loss = settings.loss
    if loss == "auto":
        fits = 4 * n_items * (settings.batch_size or LARGEST_BATCH) <= _FULL_SOFTMAX_BYTES
        fast = n_items * windows <= _FULL_SOFTMAX_SCORES
        loss = "softmax" if fits and fast else "sampled_softmax"
    return LossChoice(loss, (settings.num_negatives or _NEGATIVES[loss]) if loss != "softmax" else 0)
