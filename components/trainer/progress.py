"""Progress callbacks of the training loop.

They are global to the process, because TFX passes no objects to `run_fn`.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from typing import Protocol

_log = logging.getLogger(__name__)


class ProgressCallback(Protocol):
    """Called with the progress of training."""

    def __call__(
        self, epoch: int, epochs: int, step: int, steps: int, metrics: Mapping[str, float], stage: str
    ) -> None:
        """See `report` and `stage`."""


_callbacks: list[ProgressCallback] = []
_stages: list[str] = []


def report(epoch: int, epochs: int, step: int, steps: int, metrics: Mapping[str, float]) -> None:
    """Calls all progress callbacks; logs the progress if there are none.

    Args:
        epoch: current epoch, from 1.
        epochs: maximum number of epochs; early stopping may end training before.
        step: finished batches of this epoch.
        steps: batches per epoch.
        metrics: current values by name, such as `loss`.
    """
    if not _callbacks:
        values = ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())
        _log.info("%sepoch %d of %d, step %d of %d: %s", _stage(), epoch, epochs, step, steps, values)
    for callback in tuple(_callbacks):
        callback(epoch, epochs, step, steps, metrics, _stage())


def _stage() -> str:
    return f"{_stages[-1]}, " if _stages else ""


@contextlib.contextmanager
def stage(text: str) -> Iterator[None]:
    """Names what the trainings inside the block are, such as "trial 1 of 20".

    Args:
        text: callbacks get it with a comma behind; outside of such a block, they get "".
    """
    _stages.append(text)
    try:
        yield
    finally:
        _stages.pop()


@contextlib.contextmanager
def progress_callback(callback: ProgressCallback) -> Iterator[None]:
    """Registers a callback while the block runs.

    Args:
        callback: called with the arguments of `report`.
    """
    _callbacks.append(callback)
    try:
        yield
    finally:
        _callbacks.remove(callback)
