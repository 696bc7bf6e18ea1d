"""`caser run` from the request to the closing table."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from components.errors import UserError
from pipeline.config.config import Config
from pipeline.console.live_display import RunConsole, new_console
from pipeline.console.log_capture import new_log_file, redirect_output_to, silence
from pipeline.console.root_cause import failure_of
from pipeline.console.run_summary import closing, say_failure, shown

if TYPE_CHECKING:
    from rich.console import Console

_log = logging.getLogger(__name__)

SUCCEEDED, FAILED, INTERRUPTED = 0, 1, 130


class Request(NamedTuple):
    """What the user asked for.

    Attributes:
        config: all settings.
        data: file, glob or `{SPAN}` pattern; None for the built-in sample.
        output: everything that the run leaves is below it.
        beam: whether TFX's BeamDagRunner runs the nodes.
        beam_args: for the data nodes.
    """

    config: Config
    data: str | None
    output: Path
    beam: bool = False
    beam_args: tuple[str, ...] = ()


def run_pipeline(request: Request) -> int:
    """Runs the pipeline, with one line per node on the screen and all noise in a log.

    Args:
        request: what the user asked for.

    Returns:
        The exit status: 0, 1 where a node failed, 130 after Ctrl-C.

    Raises:
        UserError: before any node, where the data or the output folder will not do.
    """
    output, data = request.output.absolute(), _absolute(request.data)
    if data is not None:
        _check(data, request.config)
    with _locked(output), redirect_output_to(log := new_log_file(output / "logs")) as screen:
        console = new_console(screen)
        try:
            return _run(request, data or _sample_file(output), output, log, console)
        except KeyboardInterrupt:
            console.print("Interrupted. The same command again goes on after the last finished node.")
            return INTERRUPTED


def _run(request: Request, data: str, output: Path, log: Path, console: Console) -> int:
    config, started = request.config, time.monotonic()
    source = "the built-in sample" if request.data is None else request.data
    console.print(f"\n{source} → {request.output}", style="bold", markup=False)
    # TensorFlow reads it when it is imported. On CPUs without AVX-512 it is off unless asked for, and there, too, its
    # products and exponentials take about two thirds of the time.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    with _busy(console, "starting TFX"):
        from components.trainer import progress
        from pipeline.local.runner import run
        from pipeline.pipeline import create_pipeline
        from pipeline.results.collect import gather

        pipeline = create_pipeline(config, data, str(output), request.beam_args)

    nodes = RunConsole(console)
    try:
        with nodes, progress.progress_callback(nodes.on_training):
            run(pipeline, nodes, "beam" if request.beam else "local")
    except Exception as error:
        _log.exception("the run failed")
        say_failure(console, failure_of(error), shown(log))
        return FAILED

    with _busy(console, "writing the report"):
        from pipeline.results.html_report import write_report
        from pipeline.results.metrics_json import write_metrics

        summary = gather(config, output, nodes.seconds, nodes.states, is_sample=request.data is None)
        write_metrics(summary, output / "metrics.json")
        write_report(summary, config, source, output / "report.html")
    closing(console, summary, output, log, time.monotonic() - started)
    return SUCCEEDED


def _check(data: str, config: Config) -> None:
    """Before anything is made, so that a mistyped path leaves no folder behind."""
    with silence():
        from components.example_gen.preflight import check_input

        check_input(data, config.data, config.histories, config.split)


def _absolute(data: str | None) -> str | None:
    """The same file is the same input from wherever it is called; what has a scheme (`gs://`) stays as it is."""
    return os.path.abspath(os.path.expanduser(data)) if data is not None and "://" not in data else data


def _sample_file(output: Path) -> str:
    from pipeline.sample.generator import generate, write_csv

    file = output / "sample.csv"
    write_csv(generate(), file)
    return str(file)


def _busy(console: Console, what: str) -> contextlib.AbstractContextManager[object]:
    return console.status(f"{what} ...") if console.is_terminal else contextlib.nullcontext()


@contextlib.contextmanager
def _locked(output: Path) -> Iterator[None]:
    """Keeps a second run out of the folder: both would write to one store. The system frees the lock of a dead run."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        lock = open(output / ".lock", "w")  # noqa: SIM115 -- open as long as the run
    except OSError as error:
        raise UserError(
            f"The output folder {output} cannot be written: {error.strerror}. Hint: pass another --output."
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(
                f"Another run is at work in {output}. Hint: wait for it, or pass another --output."
            ) from None
        yield
