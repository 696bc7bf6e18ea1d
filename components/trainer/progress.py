"""How training tells whoever listens how far it is, without knowing who listens."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from typing import Protocol

_log = logging.getLogger(__name__)


class TrainingObserver(Protocol):
    """What wants to know how training goes."""

    def __call__(self, epoch: int, epochs: int, step: int, steps: int, metrics: Mapping[str, float]) -> None:
        """See `report`."""


_observers: list[TrainingObserver] = []


def report(epoch: int, epochs: int, step: int, steps: int, metrics: Mapping[str, float]) -> None:
    """Tells all observers how far training is; without an observer it goes to the log.

    Args:
        epoch: the present one, counted from 1.
        epochs: how many are planned; early stopping may end before.
        step: batches of this epoch that are done.
        steps: batches in one epoch.
        metrics: the newest values by name, such as `loss`.
    """
    if not _observers:
        values = ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())
        _log.info("epoch %d of %d, step %d of %d: %s", epoch, epochs, step, steps, values)
    for observer in tuple(_observers):
        observer(epoch, epochs, step, steps, metrics)


@contextlib.contextmanager
def observed_by(observer: TrainingObserver) -> Iterator[None]:
    """Passes every report to `observer` while the block runs.

    Args:
        observer: is called with the arguments of `report`.
    """
    _observers.append(observer)
    try:
        yield
    finally:
        _observers.remove(observer)
