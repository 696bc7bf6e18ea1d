"""`caser run`, from its arguments to the run summary."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from components.errors import UserError
from components.example_gen.inputs.input_files import is_pipe
from components.files import exclusive_lock
from pipeline.config.config import Config
from pipeline.console.live_display import RunConsole, new_console
from pipeline.console.log_capture import new_log_file, redirect_output_to, suppress_output
from pipeline.console.root_cause import root_cause
from pipeline.console.run_summary import display_path, print_failure, print_summary
from pipeline.local.beam_workers import check_output, check_running_mode, with_code
from pipeline.local.output import METRICS, REPORT, Output
from pipeline.tensorflow_environment import TENSORFLOW_ENVIRONMENT

if TYPE_CHECKING:
    from rich.console import Console

_log = logging.getLogger(__name__)

# Always the same name, so that equal data is reused.
_PIPE_COPY = "data-from-pipe"

SUCCEEDED, FAILED, INTERRUPTED, TERMINATED = 0, 1, 130, 143


class RunRequest(NamedTuple):
    """Arguments of `caser run`.

    Attributes:
        config: all settings.
        data: what `input_files` takes, or a pipe; None for the built-in sample.
        output: output directory, or URI in an object store.
        beam: whether to use TFX's BeamDagRunner.
        beam_args: Beam options of the data nodes.
        shared_output: whether Beam's workers mount the output directory at the same path.
    """

    config: Config
    data: str | None
    output: str
    beam: bool = False
    beam_args: tuple[str, ...] = ()
    shared_output: bool = False


class Finished(NamedTuple):
    """A run whose nodes have all succeeded.

    Attributes:
        request: arguments of the command.
        source: input of the run, as the user named it.
        output: where it wrote.
        nodes: how long the nodes took.
        log: log file.
        console: console to print on.
        started: monotonic time of the start, in seconds.
    """

    request: RunRequest
    source: str
    output: Output
    nodes: RunConsole
    log: Path
    console: Console
    started: float


class Goal(NamedTuple):
    """How much of the pipeline runs, and what is made of it.

    Attributes:
        until: the last node; None: all nodes.
        report: writes and prints the results.
    """

    until: str | None
    report: Callable[[Finished], None]


def run_pipeline(request: RunRequest, goal: Goal | None = None) -> int:
    """Runs the pipeline; shows one line per node and writes all other output to a log file.

    Args:
        request: arguments of the command.
        goal: how much of it; None: all, with report and metrics.

    Returns:
        The exit status: 0, 1 if a node failed, or 130 after Ctrl-C.

    Raises:
        UserError: the data or the output directory is invalid; no node has run.
    """
    output, data = Output.of(request.output), _absolute(request.data)
    check_running_mode(request.beam_args)
    check_output(output.root, request.beam_args, request.shared_output)
    output.check()
    pipe = data is not None and is_pipe(data)
    if data is not None and not pipe:
        _check(data, request.config)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_terminated_as_exit())
        stack.enter_context(locked(output.local))
        output.fetch_database()
        if data is not None and pipe:
            data = stack.enter_context(_copy_of_pipe(data, output.local / _PIPE_COPY))
            _check(data, request.config)
        screen = stack.enter_context(redirect_output_to(log := new_log_file(output.local / "logs")))
        console = new_console(screen)
        try:
            return _run(request, goal or Goal(None, _report), data or _sample_file(output.local), output, log, console)
        except KeyboardInterrupt:
            console.print("Interrupted. Re-run the same command to resume after the last completed node.")
            return INTERRUPTED
        finally:
            output.store()


@contextlib.contextmanager
def _terminated_as_exit() -> Iterator[None]:
    """Lets SIGTERM end the block as an exception does, so that nothing is left behind."""

    def terminate(*_: object) -> None:
        raise SystemExit(TERMINATED)

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def locked(output: Path) -> Iterator[None]:
    """Creates the output directory and keeps other runs out of it, since a run has its own ML Metadata store.

    Args:
        output: output directory.

    Raises:
        UserError: the directory cannot be used or written, or another run is using it.
    """
    with contextlib.ExitStack() as stack:
        try:
            output.mkdir(parents=True, exist_ok=True)
            stack.enter_context(exclusive_lock(output / ".lock", wait=False))
        except BlockingIOError:
            raise UserError(
                f"Another run is already using {output}. Hint: wait for it to finish or choose a different --output."
            ) from None
        except OSError as error:
            raise UserError(
                f"Cannot write to output directory {output}: {error.strerror}. Hint: choose a different --output."
            ) from None
        yield


def _run(request: RunRequest, goal: Goal, data: str, output: Output, log: Path, console: Console) -> int:
    config, started = request.config, time.monotonic()
    source = "the built-in sample" if request.data is None else request.data
    console.print(f"\n{source} → {request.output}", style="bold", markup=False)
    for name, value in TENSORFLOW_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with _busy(console, "starting TFX"):
        from components.beam_jobs import cancelled_on_error
        from components.trainer import progress
        from pipeline.local.runner import run
        from pipeline.pipeline import create_pipeline

    nodes = RunConsole(console)
    try:
        with (
            tempfile.TemporaryDirectory() as package,
            cancelled_on_error(),
            nodes,
            progress.progress_callback(nodes.on_training),
        ):
            beam_args = with_code(request.beam_args, Path(package))
            local = str(output.local)
            pipeline = create_pipeline(config, data, output.root, beam_args, local_dir=local, until=goal.until)
            run(pipeline, nodes, "beam" if request.beam else "local")
    except Exception as error:
        _log.exception("the run failed")
        print_failure(console, root_cause(error), display_path(log))
        return FAILED

    with _busy(console, "writing the report"):
        goal.report(Finished(request, source, output, nodes, log, console, started))
    return SUCCEEDED


def _report(run: Finished) -> None:
    """Writes metrics and report, and prints the run summary."""
    from pipeline.results.collect import collect_summary
    from pipeline.results.html_report import write_report
    from pipeline.results.metrics_json import write_metrics

    config, output, nodes = run.request.config, run.output, run.nodes
    summary = collect_summary(config, output.local, nodes.seconds, nodes.states, is_sample=run.request.data is None)
    write_metrics(summary, output.local / METRICS)
    write_report(summary, config, run.source, output.local / REPORT)
    print_summary(run.console, summary, output.root, output.local, run.log, time.monotonic() - run.started)


@contextlib.contextmanager
def _copy_of_pipe(pipe: str, file: Path) -> Iterator[str]:
    """Copies what comes through a pipe to a file, which several steps read; it is removed at the end."""
    try:
        try:
            with open(pipe, "rb") as source, open(file, "wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
        except OSError as error:
            raise UserError(f"{pipe} cannot be copied to {file}: {error.strerror}. Hint: pass a file.") from None
        yield str(file)
    finally:
        file.unlink(missing_ok=True)


def _check(data: str, config: Config) -> None:
    """Checks the input before the output directory is created, so that a typo in a path leaves nothing behind."""
    with suppress_output():
        from components.example_gen.preflight import check_input
        from components.items_gen.item_files import read_blocklist, read_items

        check_input(data, config.data, config.histories, config.split)
        from components.mlflow_tracker.tracking import check_installed

        if config.mlflow.tracking_uri:
            check_installed()
        if config.data.items:
            read_items(config.data.items, config.data.item_column, config.data.encoding)
        if config.recommend.blocklist:
            read_blocklist(config.recommend.blocklist)


def _absolute(data: str | None) -> str | None:
    """An absolute path, so that the cache does not depend on the working directory; URIs are returned unchanged."""
    return os.path.abspath(os.path.expanduser(data)) if data is not None and "://" not in data else data


def _sample_file(output: Path) -> str:
    from pipeline.sample.generator import generate, write_csv

    file = output / "sample.csv"
    write_csv(generate(), file)
    return str(file)


def _busy(console: Console, activity: str) -> contextlib.AbstractContextManager[object]:
    return console.status(f"{activity} ...") if console.is_terminal else contextlib.nullcontext()
