"""`caser tune`: runs the pipeline until the Tuner, and writes what it found."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from components.files import write_text
from pipeline.console.run_summary import display_path, program
from pipeline.local.output import REPORT
from pipeline.local.run import Finished, Goal, RunRequest, run_pipeline

if TYPE_CHECKING:
    from pipeline.results.tuning import Tuning

_SHOWN_TRIALS = 5


def tune(request: RunRequest) -> int:
    """Searches for hyperparameters; a search that was stopped goes on.

    Args:
        request: as for a run; `tuner.enabled` is set.

    Returns:
        The exit status, see `run_pipeline`.
    """
    from pipeline.results.tuning import TUNER

    return run_pipeline(request, Goal(TUNER, _report))


def _report(run: Finished) -> None:
    from pipeline.pipeline import PIPELINE_NAME
    from pipeline.results.html_report import write_tuning_report
    from pipeline.results.metadata import last_outputs
    from pipeline.results.summary import TITLES
    from pipeline.results.tuning import BEST, TRIALS, best_yaml, read_tuning, write_trials

    config, output = run.request.config, run.output.local
    tuning = read_tuning(last_outputs(output / "metadata.sqlite", PIPELINE_NAME))
    assert tuning is not None  # the Tuner has run
    metric = TITLES.get(config.trainer.monitor, config.trainer.monitor)
    folder = output / "tuning"
    folder.mkdir(exist_ok=True)
    best = best_yaml(config, tuning, metric)
    files = {"settings": folder / BEST, "trials": folder / TRIALS, "report": folder / REPORT}
    write_text(files["settings"], best)
    write_trials(tuning, config.trainer.monitor, files["trials"])
    write_tuning_report(tuning, config, run.source, best, files["report"])

    run.console.print()
    run.console.print(_table(tuning, metric))
    run.console.print(f"\n  {tuning.describe(metric)}", soft_wrap=True)
    run.console.print("  The best of many is optimistic on valid: compare metrics on test with and without it.\n")
    for name, file in files.items():
        run.console.print(Text.assemble("  ", (f"{name:<10}", "dim"), display_path(file)), soft_wrap=True)
    run.console.print(Text.assemble("  ", (f"{'log':<10}", "dim"), display_path(run.log)), soft_wrap=True)
    data = "--sample" if run.request.data is None else f"--data {shlex.quote(run.request.data)}"
    settings = shlex.quote(display_path(files["settings"]))
    command = f"run {data} --config {settings} --output {shlex.quote(run.request.output)}"
    run.console.print("\n  Next:")
    run.console.print(f"    {program()} {command}\n", style="bold", markup=False, soft_wrap=True)


def _table(tuning: Tuning, metric: str) -> Table:
    """The best trials, and the first one."""
    best = sorted(tuning.trials, key=lambda trial: -trial.score)[:_SHOWN_TRIALS]
    first = tuning.trials[0]
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2))
    table.add_column("  trial", justify="right")
    table.add_column(f"{metric} on valid", justify="right")
    table.add_column("settings", overflow="fold")
    for trial in [*best, *([first] if first not in best else [])]:
        changes = "  ".join(f"{name}={value}" for name, value in tuning.changes(trial).items())
        table.add_row(str(trial.number), f"{trial.score:.4f}", changes or "as configured")
    return table
