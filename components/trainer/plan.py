"""How a model is trained, as far as the data decides it."""

from __future__ import annotations

from typing import NamedTuple

from components.trainer.defaults import batch_size_for, epochs_for, is_next_item_enough, learning_rate_for
from components.trainer.settings import TrainerSettings
from components.trainer.windows import TrainingWindows

# Epochs of a warm start as a fraction of those from scratch.
_WARM_EPOCHS = 0.25


class TrainingPlan(NamedTuple):
    """How a model is trained; the model info holds it as `training`.

    Attributes:
        short_histories: whether unset settings have the defaults for short histories.
        one_target: whether windows have one target, whatever the settings say.
        batch_size: windows per step.
        epochs: the learning rate decays to 0 over this many epochs.
        learning_rate: peak learning rate.
        last_epoch: the epoch whose weights are kept; None: the valid split decides.
        warm_start: whether training begins with the weights of a base model.
    """

    short_histories: bool
    one_target: bool
    batch_size: int
    epochs: int
    learning_rate: float
    last_epoch: int | None = None
    warm_start: bool = False

    def warm(self, epochs: int | None) -> TrainingPlan:
        """The plan of a training that begins with the weights of a base model.

        Args:
            epochs: number of epochs; None: a quarter.
        """
        return self._replace(epochs=epochs or max(1, round(self.epochs * _WARM_EPOCHS)), warm_start=True)


def plan_for(
    settings: TrainerSettings,
    windows: TrainingWindows,
    n_items: int,
    short_histories: bool = False,
    held_out: float | None = None,
) -> TrainingPlan:
    """The plan by settings and, where they are unset, by the data.

    Args:
        settings: batch size, epochs and learning rate.
        windows: all training windows.
        n_items: number of items in the catalogue.
        short_histories: see `components.trainer.defaults`.
        held_out: mean number of held-out items per user of the valid split; None without one.
    """
    batch_size = min(settings.batch_size or batch_size_for(len(windows), short_histories), len(windows))
    return TrainingPlan(
        short_histories,
        short_histories and is_next_item_enough(len(windows), n_items, held_out),
        batch_size,
        settings.epochs or epochs_for(windows.steps(batch_size), short_histories),
        settings.learning_rate or learning_rate_for(short_histories),
    )
