"""Trial of both sets of defaults where the length of histories does not tell which is better."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from components.trainer.defaults import are_short, is_unclear
from components.trainer.settings import TrainerSettings
from components.trainer.training import Trained
from components.trainer.windows import TrainingWindows

_log = logging.getLogger(__name__)


def train_with_defaults(
    train: Callable[[bool], Trained], windows: TrainingWindows, settings: TrainerSettings
) -> Trained:
    """Trains with the defaults for short or for long histories, or with both where the data does not tell.

    Args:
        train: trains with the defaults for short histories (true) or long ones.
        windows: all training windows.
        settings: whether a trial is allowed, how long the first training may take for that, and the metric.

    Returns:
        The better model by the valid split; without a valid split, the one that the length of histories suggests.
    """
    size = len(windows), windows.users
    short = are_short(*size)
    started = time.monotonic()
    first = train(short)
    minutes = (time.monotonic() - started) / 60
    validated = settings.monitor in first.history[0]
    if not (settings.auto and validated and is_unclear(*size) and minutes <= settings.auto_minutes):
        return first
    second = train(not short)
    values = {"short" if short else "long": first.best(settings.monitor)}
    values["long" if short else "short"] = second.best(settings.monitor)
    better = first if first.best(settings.monitor) >= second.best(settings.monitor) else second
    text = ", ".join(f"{settings.monitor} {value:.4f} with those for {name}" for name, value in values.items())
    _log.info("trial of the defaults: %s histories", text)
    note = f"Defaults were chosen by a trial on valid: {text} histories."
    return better._replace(notes=[note, *better.notes])
