"""What a run shows while it works: one line per node, and a bar while training."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Literal, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

# What each node does, in the words of somebody who has never heard of TFX.
_PURPOSES = {
    "InteractionExampleGen": "reads, orders and splits the interactions",
    "StatisticsGen": "describes the data",
    "ImportSchemaGen": "brings the curated schema",
    "HistoryValidator": "compares the data with the schema",
    "Transform": "makes vocabularies and windows",
    "CaserTrainer": "fits and exports the model",
    "LastBlessedModel": "finds the model to beat",
    "Evaluator": "ranks every held-out item",
    "SequentialRules": "counts what follows what, to compare",
    "CaserPusher": "puts a blessed model in place",
}
_MARKS = {"done": ("✓", "+", "green"), "cached": ("=", "=", "cyan"), "failed": ("✗", "x", "red")}
State = Literal["done", "cached", "failed"]


def new_console(stream: TextIO) -> Console:
    """A console for `stream`; without a terminal it is as wide as its lines."""
    console = Console(file=stream, highlight=False, soft_wrap=False)
    return console if console.is_terminal else Console(file=stream, highlight=False, width=160)


class RunConsole:
    """Shows the nodes of one run; a `pipeline.local.runner.NodeObserver` and a `ProgressCallback`.

    Both of TFX's runners may call it from threads of their own.
    """

    def __init__(self, console: Console) -> None:
        """Shows nothing yet: use it as a context manager.

        Args:
            console: of the screen.
        """
        self.console = console
        self.seconds: dict[str, float] = {}
        self.states: dict[str, State] = {}
        self._started: dict[str, float] = {}
        self._training: _Training | None = None
        self._lock = threading.RLock()
        # Beam forks and logs from many threads; eight frames a second are smooth and cost nothing.
        self._live = Live(get_renderable=self._running, console=console, transient=True, refresh_per_second=8)

    def __enter__(self) -> RunConsole:
        """Starts the animation, where there is a terminal."""
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Ends the animation and leaves the finished lines."""
        if self.console.is_terminal:
            self._live.stop()

    def on_node_start(self, node_id: str) -> None:
        """See `NodeObserver`."""
        with self._lock:
            self._started[node_id] = time.monotonic()

    def on_node_end(self, node_id: str, state: Literal["done", "cached"], seconds: float) -> None:
        """See `NodeObserver`."""
        self._finish(node_id, state, seconds)

    def on_node_failed(self, node_id: str, error: Exception, seconds: float) -> None:
        """See `NodeObserver`."""
        self._finish(node_id, "failed", seconds)

    def on_training(self, epoch: int, epochs: int, step: int, steps: int, metrics: Mapping[str, float]) -> None:
        """See `components.trainer.progress.ProgressCallback`."""
        with self._lock:
            self._training = _Training(epoch, epochs, step, steps, dict(metrics))
        if not self.console.is_terminal and step == steps:
            self.console.print(f"    {self._training.text()}")

    def _finish(self, node_id: str, state: State, seconds: float) -> None:
        with self._lock:
            self._started.pop(node_id, None)
            self._training = None
            self.seconds[node_id], self.states[node_id] = seconds, state
        self.console.print(self._line(node_id, state, seconds))

    def _line(self, node_id: str, state: State, seconds: float) -> Text:
        pretty, plain, color = _MARKS[state]
        mark = pretty if "utf" in self.console.encoding else plain
        return Text.assemble(
            (f"  {mark} ", color),
            f"{node_id:<22}",
            (f"{_PURPOSES.get(node_id, ''):<42}", "dim"),
            (f"{state:<7}", color),
            f"{seconds:>8.1f} s",
        )

    def _running(self) -> RenderableType:
        """The nodes at work, with a spinner each, and the training bar below."""
        with self._lock:
            rows: list[RenderableType] = [
                Spinner(
                    "dots" if "utf" in self.console.encoding else "line",
                    Text.assemble(
                        f"{node_id:<22}",
                        (f"{_PURPOSES.get(node_id, ''):<42}", "dim"),
                        f"running{time.monotonic() - started:>8.0f} s",
                    ),
                    style="yellow",
                )
                for node_id, started in self._started.items()
            ]
            if self._training:
                rows.append(self._training.bar())
        return Group(*map(_indented, rows))


class _Training:
    """How far training is."""

    def __init__(self, epoch: int, epochs: int, step: int, steps: int, metrics: dict[str, float]) -> None:
        self.epoch, self.epochs, self.step, self.steps, self.metrics = epoch, epochs, step, steps, metrics

    def text(self) -> str:
        values = "  ".join(f"{name} {value:.4f}" for name, value in self.metrics.items())
        return f"epoch {self.epoch:>2} of {self.epochs}  {values}"

    def bar(self) -> RenderableType:
        total = self.epochs * self.steps
        done = (self.epoch - 1) * self.steps + self.step
        grid = Table.grid(padding=(0, 2))
        grid.add_row(" ", ProgressBar(total=total, completed=done, width=40), self.text())
        return grid


def _indented(row: RenderableType) -> RenderableType:
    grid = Table.grid()
    grid.add_row("  ", row)
    return grid
