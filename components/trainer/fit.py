"""The training loop: epochs, early stopping, best weights."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from components.errors import UserError
from components.features import FIRST_ID, UNKNOWN
from components.memory import peak_bytes
from components.model.caser import Caser
from components.trainer import progress
from components.trainer.distribution import copy_for, share_of_loss, strategy_for
from components.trainer.early_stopping import EarlyStopping
from components.trainer.losses.loss_choice import LossChoice, resolve_loss
from components.trainer.losses.losses import Batch, compute_loss
from components.trainer.negatives.seen_items import SeenItems, seen_items_for
from components.trainer.optimizer import Adam
from components.trainer.plan import TrainingPlan, plan_for
from components.trainer.settings import TrainerSettings
from components.trainer.windows import TrainingPart, TrainingWindows, WindowBatch

_log = logging.getLogger(__name__)

# Progress reports per epoch; between them, training runs inside one graph call.
_REPORTS_PER_EPOCH = 20
_WARM_UP_FRACTION = 0.03


def fit(
    model: Caser,
    windows: TrainingWindows,
    settings: TrainerSettings,
    seed: int,
    validate: Callable[[], dict[str, float]] | None = None,
    plan: TrainingPlan | None = None,
) -> list[dict[str, Any]]:
    """Trains `model` and restores the weights of its best epoch (without `validate`: keeps the last ones).

    Args:
        model: a new model, or one with the weights of a base model.
        windows: all training windows.
        settings: loss, optimizer and early stopping.
        seed: seed of shuffling, dropout and negatives.
        validate: computes ranking metrics on the valid split with the current weights.
        plan: batch size, epochs and learning rate; None: by settings and data.

    Returns:
        One dict per epoch: `epoch`, `seconds`, `loss`, `objective` (name of the loss), `peak_memory_gb` (of the process
        until then), and the metrics of `validate`.

    Raises:
        UserError: the loss is not finite.
    """
    plan = plan or plan_for(settings, windows, model.n_items)
    batch_size, epochs, peak = plan.batch_size, plan.epochs, plan.learning_rate
    steps = windows.steps(batch_size)
    choice = resolve_loss(settings, model.n_items, len(windows))
    n_users = model.user_embedding.input_dim - FIRST_ID
    strategy = strategy_for(settings.distribution)
    trained = copy_for(strategy, model, settings.dtype_policy)
    _log.info("%d windows, batch size %d", len(windows), batch_size)
    _log.info("training with %s on %d items", choice, model.n_items)
    with strategy.scope():
        optimizer = Adam(learning_rates(peak, steps * epochs), model.l2, settings.weight_decay)
        if trained is not model:
            # Variables of several devices cannot be created inside a training step.
            optimizer.build(trained.trainable_variables)
    train = _train_function(trained, optimizer, settings, choice, strategy)
    histories, seen = None, None

    stopping = EarlyStopping(trained, settings.monitor, settings.patience)
    history: list[dict[str, Any]] = []
    for epoch in range(1, epochs + 1):
        started = time.monotonic()
        total, done = 0.0, 0
        for part in windows.parts(batch_size, hash((seed, epoch)) % 2**32):
            if part.histories is not histories:  # in memory, they are the same in all epochs
                histories = part.histories
                seen = seen_items_for(histories, n_users, model.n_items, settings)
            for mean, count in _losses(train, strategy, part, seen, -(-steps // _REPORTS_PER_EPOCH)):
                total += mean * count
                done += count
                if done < steps:
                    progress.report(epoch, epochs, done, steps, {"loss": mean})
        loss = total / steps
        _check_finite(loss, epoch, peak)
        if trained is not model:
            model.set_weights(trained.get_weights())
        metrics = validate() if validate else {}
        current = {"loss": loss}
        if metrics:
            current[settings.monitor] = metrics[settings.monitor]
        progress.report(epoch, epochs, steps, steps, current)
        seconds = time.monotonic() - started
        peak_gb = peak_bytes() / 1e9
        row = {"epoch": epoch, "seconds": seconds, "loss": loss, "objective": str(choice), "peak_memory_gb": peak_gb}
        history.append(row | metrics)
        if stopping.should_stop(epoch, metrics) or epoch == plan.last_epoch:
            break
    stopping.restore_best_weights()
    if trained is not model:
        model.set_weights(trained.get_weights())
    return history


def learning_rates(peak: float, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Linear warm-up, then cosine decay to 0.

    Args:
        peak: peak learning rate.
        steps: total number of steps.
    """
    warm_up = round(steps * _WARM_UP_FRACTION)
    return keras.optimizers.schedules.CosineDecay(0.0, steps - warm_up, warmup_target=peak, warmup_steps=warm_up)


def _losses(
    train: Callable[..., tf.Tensor],
    strategy: tf.distribute.Strategy,
    part: TrainingPart,
    seen: SeenItems | None,
    most: int,
) -> Iterator[tuple[float, int]]:
    """Trains on a part; yields the mean loss of at most `most` steps, and the number of these steps."""
    batches = iter(strategy.experimental_distribute_dataset(part.batches))
    for steps in np.array_split(np.arange(part.steps), -(-part.steps // most)):
        yield float(train(batches, tf.constant(len(steps)), seen)), len(steps)


def _check_finite(loss: float, epoch: int, peak: float) -> None:
    if not np.isfinite(loss):
        raise UserError(
            f"Training diverged: the loss in epoch {epoch} is {loss}. "
            f"Hint: lower `trainer.learning_rate` (now {peak:g}), or use less extreme model settings."
        )


def _train_function(
    model: Caser,
    optimizer: keras.optimizers.Optimizer,
    settings: TrainerSettings,
    choice: LossChoice,
    strategy: tf.distribute.Strategy,
) -> Callable[[Any, tf.Tensor, SeenItems | None], tf.Tensor]:
    """A graph function that takes `steps` batches from an iterator and returns their mean loss."""

    def step(batch: WindowBatch, seen: SeenItems | None) -> tf.Tensor:
        user, sequence, targets, position = batch
        # Random users are replaced by the unknown user, so that its embedding learns what users have in common.
        unknown = tf.random.uniform(tf.shape(user)) < settings.unknown_user_rate
        with tf.GradientTape() as tape:
            representation = model((tf.where(unknown, UNKNOWN, user), sequence), training=True)
            loss = compute_loss(
                model, representation, Batch(user, position, targets), seen, choice.loss, choice.negatives
            )
            if strategy.num_replicas_in_sync > 1:
                loss *= share_of_loss(targets)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    @tf.function(reduce_retracing=True)
    def train(batches: Any, steps: tf.Tensor, seen: SeenItems | None) -> tf.Tensor:
        total = tf.constant(0.0)
        for _ in tf.range(steps):
            losses = strategy.run(step, (next(batches), seen))
            total += strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)
        return total / tf.cast(steps, tf.float32)

    return train
