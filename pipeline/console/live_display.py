"""Live display of a run: one line per node, and a progress bar while training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TextIO

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, SpinnerColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

DESCRIPTIONS = {
    "InteractionExampleGen": "Reading and splitting interactions",
    "StatisticsGen": "Computing statistics",
    "Items": "Reading titles and other columns of items",
    "Blocklist": "Reading the blocklist",
    "ImportSchemaGen": "Importing the schema",
    "HistoryValidator": "Validating data against the schema",
    "Transform": "Mapping users and items to ids",
    "SequentialRules": "Counting sequential rules",
    "CaserTuner": "Searching for hyperparameters",
    "BaseModel": "Looking up the model to start from",
    "CaserTrainer": "Training and exporting the model",
    "LastBlessedModel": "Looking up the last blessed model",
    "Evaluator": "Evaluating by full ranking",
    "Neighbours": "Evaluating neighbours",
    "BaselineValidator": "Comparing with baselines",
    "LastBlessedRun": "Looking up the last blessed run",
    "DriftValidator": "Comparing with the data of the last blessed run",
    "RefitTransform": "Mapping all users and items to ids",
    "RefitSequentialRules": "Counting rules on all interactions",
    "RefitTrainer": "Training on all interactions",
    "RefitValidator": "Comparing with the evaluated model",
    "BatchRecommender": "Recommending to all users",
    "CaserPusher": "Publishing the blessed model",
    "MlflowTracker": "Recording the run in MLflow",
}
_MARKS = {"done": ("✓", "+", "green"), "cached": ("=", "=", "cyan"), "failed": ("✗", "x", "red")}
State = Literal["done", "cached", "failed"]


def new_console(stream: TextIO) -> Console:
    """A console for `stream`; without a terminal, lines are not wrapped."""
    console = Console(file=stream, highlight=False, soft_wrap=False)
    return console if console.is_terminal else Console(file=stream, highlight=False, width=160)


class _TrainingBar(BarColumn):
    """A bar for training only: the duration of nodes is unknown."""

    def render(self, task: Task) -> RenderableType:  # type: ignore[override]
        """Renders the bar of a task with a known total."""
        return super().render(task) if task.total is not None else Text("")


class RunConsole:
    """Shows the nodes of a run; a `pipeline.node_launcher.NodeObserver` and a `ProgressCallback` of the Trainer."""

    def __init__(self, console: Console) -> None:
        """Shows nothing until it is used as a context manager.

        Args:
            console: console to print on.
        """
        self.console = console
        self.seconds: dict[str, float] = {}
        self.states: dict[str, State] = {}
        self._unicode = "utf" in console.encoding
        self._tasks: dict[str, TaskID] = {}
        self._training: TaskID | None = None
        self._progress = Progress(
            TextColumn(" "),
            SpinnerColumn("dots" if self._unicode else "line", style="yellow"),
            TextColumn("{task.description}"),
            _TrainingBar(bar_width=40),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> RunConsole:
        """Starts the animation if there is a terminal."""
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Stops the animation; the lines of finished nodes stay."""
        self._progress.stop()

    def on_node_start(self, node_id: str) -> None:
        """Shows a running node."""
        self._tasks[node_id] = self._progress.add_task(f"{node_id:<22}{DESCRIPTIONS.get(node_id, '')}", total=None)

    def on_node_end(self, node_id: str, state: Literal["done", "cached"], seconds: float) -> None:
        """Prints the line of a finished node."""
        self._finish(node_id, state, seconds)

    def on_node_failed(self, node_id: str, error: Exception, seconds: float) -> None:
        """Prints the line of a failed node."""
        self._finish(node_id, "failed", seconds)

    def on_training(
        self, epoch: int, epochs: int, step: int, steps: int, metrics: Mapping[str, float], stage: str = ""
    ) -> None:
        """Updates the progress bar; without a terminal, prints a line per epoch."""
        values = "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
        text = f"{stage}epoch {epoch:>2} of {epochs}  {values}"
        if self._training is None:
            self._training = self._progress.add_task(text, total=epochs * steps)
        self._progress.update(
            self._training, total=epochs * steps, completed=(epoch - 1) * steps + step, description=text
        )
        if not self.console.is_terminal and step == steps:
            self.console.print(f"    {text}")

    def _finish(self, node_id: str, state: State, seconds: float) -> None:
        for task in (self._tasks.pop(node_id, None), self._training):
            if task is not None:
                self._progress.remove_task(task)
        self._training = None
        self.seconds[node_id], self.states[node_id] = seconds, state
        mark, ascii_mark, color = _MARKS[state]
        self.console.print(
            Text.assemble(
                (f"  {mark if self._unicode else ascii_mark} ", color),
                f"{node_id:<22}",
                (f"{DESCRIPTIONS.get(node_id, ''):<40}", "dim"),
                (f"{state:<7}", color),
                f"{seconds:>8.1f} s",
            )
        )
