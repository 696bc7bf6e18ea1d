"""Wall time of training steps."""

from __future__ import annotations

import itertools
import statistics
import time


class StepTimer:
    """A `components.trainer.progress.ProgressCallback` for one epoch.

    Attributes:
        moments: number of steps done, and seconds, at each report; the first one comes after tracing.
    """

    def __init__(self) -> None:
        """Starts empty."""
        self.moments: list[tuple[int, float]] = []

    def __call__(self, epoch: int, epochs: int, step: int, steps: int, metrics: object, stage: str) -> None:
        """Records a progress report."""
        self.moments.append((step, time.monotonic()))

    def milliseconds(self, reports: int | None = None) -> float:
        """Per step, the median over what lies between two reports.

        Args:
            reports: only the first so many; None: all.
        """
        return 1000 * statistics.median(
            (later - before) / (at - since)
            for (since, before), (at, later) in itertools.pairwise(self.moments[:reports])
        )
