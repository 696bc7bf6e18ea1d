"""Fits Caser: epochs of many steps inside one graph call, early stopping on a ranking metric."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from components.errors import UserError
from components.features import FIRST_ID, UNKNOWN
from components.model.caser import Caser
from components.trainer import progress
from components.trainer.dataset import Windows
from components.trainer.defaults import batch_size_for, epochs_for
from components.trainer.losses.loss_choice import LossChoice, chosen_loss
from components.trainer.losses.losses import Batch, loss_of
from components.trainer.negatives.seen_items import SeenItems, seen_items_for
from components.trainer.optimizer import Adam
from components.trainer.settings import TrainerSettings

_log = logging.getLogger(__name__)

# Progress is told this many times in an epoch; between them Python does nothing.
_REPORTS_PER_EPOCH = 20
_WARM_UP_SHARE = 0.03


def fit(
    model: Caser,
    windows: Windows,
    settings: TrainerSettings,
    seed: int,
    validate: Callable[[], dict[str, float]] | None = None,
) -> list[dict[str, Any]]:
    """Trains `model` in place and leaves the weights of its best epoch in it (the last one without `validate`).

    Args:
        model: a new model.
        windows: all training windows.
        settings: loss, optimiser and stopping.
        seed: of shuffling, dropout and negatives.
        validate: ranking metrics of the valid split with the model's present weights.

    Returns:
        One dict per epoch: `epoch`, `seconds`, `loss`, `objective` (which loss), and the metrics of `validate`.

    Raises:
        UserError: the loss is no longer a finite number.
    """
    batch_size = min(settings.batch_size or batch_size_for(len(windows.user)), len(windows.user))
    steps = windows.steps(batch_size)
    epochs = settings.epochs or epochs_for(steps)
    choice = chosen_loss(settings, model.n_items)
    n_users = model.user_embedding.input_dim - FIRST_ID
    _log.info("%d windows, batch size %d", len(windows.user), batch_size)
    _log.info("training with %s on %d items", choice, model.n_items)
    rates = learning_rates(settings.learning_rate, steps * epochs)
    optimizer = Adam(rates, model.l2, settings.weight_decay)
    seen = seen_items_for(windows, n_users, model.n_items, settings)
    train = _train_function(model, seen, optimizer, settings, choice)

    history: list[dict[str, Any]] = []
    best, best_weights = -np.inf, None
    for epoch in range(1, epochs + 1):
        started = time.monotonic()
        batches = iter(windows.epoch(batch_size, seed=hash((seed, epoch)) % 2**32))
        losses, done = [], 0
        for part in np.array_split(np.arange(steps), min(steps, _REPORTS_PER_EPOCH)):
            losses.append(float(train(batches, tf.constant(len(part)))) * len(part))
            done += len(part)
            if done < steps:
                progress.report(epoch, epochs, done, steps, {"loss": losses[-1] / len(part)})
        loss = sum(losses) / steps
        if not np.isfinite(loss):
            raise UserError(
                f"Training diverged: the loss in epoch {epoch} is {loss}. "
                f"Remedy: lower `trainer.learning_rate` (now {settings.learning_rate:g}), "
                "or remove extreme settings of the model."
            )
        metrics = validate() if validate else {}
        shown: dict[str, float] = {name: value for name, value in metrics.items() if name == settings.monitor}
        progress.report(epoch, epochs, steps, steps, {"loss": loss, **shown})
        seconds = time.monotonic() - started
        history.append({"epoch": epoch, "seconds": seconds, "loss": loss, "objective": str(choice), **metrics})
        if validate:
            if metrics[settings.monitor] > best:
                best, best_weights, best_epoch = metrics[settings.monitor], model.get_weights(), epoch
            elif epoch - best_epoch >= settings.patience:
                break
    if best_weights is not None:
        model.set_weights(best_weights)
    return history


def learning_rates(peak: float, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """A straight rise over the first steps, which lets a high peak be borne, then half a cosine down to 0.

    Args:
        peak: the highest rate.
        steps: of the whole training.
    """
    warm_up = round(steps * _WARM_UP_SHARE)
    return keras.optimizers.schedules.CosineDecay(0.0, steps - warm_up, warmup_target=peak, warmup_steps=warm_up)


def _train_function(
    model: Caser,
    seen: SeenItems | None,
    optimizer: keras.optimizers.Optimizer,
    settings: TrainerSettings,
    choice: LossChoice,
) -> Callable[[Any, tf.Tensor], tf.Tensor]:
    """A graph function that takes `steps` batches from an iterator and returns their mean loss."""

    def step(user: tf.Tensor, sequence: tf.Tensor, targets: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
        # Some users are taken for unknown, so that the unknown user's embedding learns what users have in common.
        unknown = tf.random.uniform(tf.shape(user)) < settings.unknown_user_rate
        with tf.GradientTape() as tape:
            state = model((tf.where(unknown, UNKNOWN, user), sequence), training=True)
            loss = loss_of(model, state, Batch(user, position, targets), seen, choice.loss, choice.negatives)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    @tf.function(reduce_retracing=True)
    def train(batches: Any, steps: tf.Tensor) -> tf.Tensor:
        total = tf.constant(0.0)
        for _ in tf.range(steps):
            total += step(*next(batches))
        return total / tf.cast(steps, tf.float32)

    return train
