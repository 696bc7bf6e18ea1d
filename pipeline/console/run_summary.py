"""Run summary: metrics, verdict, paths and the next command."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.console.root_cause import Failure
from pipeline.results.summary import BEYOND_ACCURACY, TITLES, RunSummary


def print_summary(console: Console, summary: RunSummary, root: str, output: Path, log: Path, seconds: float) -> None:
    """Prints the summary of a finished run.

    Args:
        console: console to print on.
        summary: results of the run.
        root: absolute path, or URI, with the models.
        output: absolute path of the directory with the report.
        log: absolute path of the log file.
        seconds: duration of the run.
    """
    console.print()
    console.print(_table(summary))
    for note in _notes(summary):
        console.print(f"  {note}", style="dim", markup=False, soft_wrap=True)
    console.print()
    verdict = Text(
        "  Blessed: " if summary.blessed else "  Not blessed: ", "bold green" if summary.blessed else "bold red"
    )
    console.print(verdict.append(summary.blessing_reason, "none"), soft_wrap=True)
    for check in summary.checks:
        mark = (
            (f"  {check.name.capitalize()}: ", "bold green")
            if check.passed
            else (f"  Not pushed, {check.name}: ", "bold red")
        )
        console.print(Text.assemble(mark, check.reason), soft_wrap=True)
        if check.hint:
            console.print(Text.assemble("  ", check.hint), soft_wrap=True)
    for warning in summary.warnings:
        console.print(Text.assemble(("  Note: ", "yellow"), warning), soft_wrap=True)
    console.print()
    serving = display_path(f"{root}/serving/caser")
    # In an object store there is no link to the last run.
    tensorboard = f"{root}/pipeline/CaserTrainer" if "://" in root else display_path(output / "tensorboard")
    paths = [
        (
            "model",
            f"{serving}/{summary.pushed_version}"
            if summary.pushed_version
            else f"not pushed{summary.why_not_pushed()}",
        ),
        ("report", display_path(output / "report.html")),
        ("metrics", display_path(output / "metrics.json")),
        ("training", f"tensorboard --logdir {shlex.quote(tensorboard)}"),
        ("log", display_path(log)),
    ]
    for name, path in paths:
        console.print(Text.assemble("  ", (f"{name:<10}", "dim"), path), soft_wrap=True)
    console.print()
    console.print(f"  Finished in {_duration(seconds)}. Next:", markup=False)
    console.print(f"    {_next_command(summary, serving, output)}\n", style="bold", markup=False, soft_wrap=True)


def print_evaluation(console: Console, summary: RunSummary) -> None:
    """Prints the metrics of a model that was evaluated without a run.

    Args:
        console: console to print on.
        summary: its results.
    """
    console.print()
    console.print(_table(summary, {**TITLES, **BEYOND_ACCURACY}))
    console.print(f"  {summary.counts['evaluated_users']:,} users", style="dim", markup=False)
    for warning in summary.warnings:
        console.print(Text.assemble(("  Note: ", "yellow"), warning), soft_wrap=True)


def print_failure(console: Console, failure: Failure, log: str) -> None:
    """Prints why a node failed.

    Args:
        console: console to print on.
        failure: the root cause.
        log: path of the log file.
    """
    console.print(Text.assemble("\n", ("Error: ", "bold red"), failure.text), soft_wrap=True)
    if not failure.is_user_error:
        console.print("  Unexpected error. The full traceback is in the log.")
    console.print(Text.assemble(("  log       ", "dim"), log, "\n"), soft_wrap=True)


def display_path(path: str | Path) -> str:
    """A path relative to the working directory if it is below it, else absolute; a URI as it is."""
    if "://" in str(path):
        return str(path)
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _notes(summary: RunSummary) -> list[str]:
    """What the table does not tell."""
    notes = [f"{name.replace('_', ' ')}: {note}" for name, note in summary.notes.items()]
    if summary.rule_weight:
        notes.append(f"served: Caser combined with sequential rules, whose weight is {summary.rule_weight:g}")
    if summary.unseen_items:
        notes.append(
            f"the served model has never seen {summary.unseen_items:,} items, which are in held-out interactions only; "
            "refit.enabled=true trains it on all interactions"
        )
    return notes + (summary.history[-1]["notes"] if summary.history else [])


def _table(summary: RunSummary, titles: Mapping[str, str] = TITLES) -> Table:
    columns = summary.columns()
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2))
    table.add_column("  metric")
    for column in columns:
        table.add_column(column.title, justify="right", style="bold" if column.key == "test" else "")
        if column.key == "test":
            table.add_column("95 % interval", justify="right", style="dim")
    for name in summary.main_metrics(titles):
        values = [f"{column.metrics[name]:.4f}" if name in column.metrics else "" for column in columns]
        interval = summary.intervals.get("test", {}).get(name)
        values.insert(1, f"{interval[0]:.4f} to {interval[1]:.4f}" if interval else "")
        table.add_row(f"  {titles[name]}", *values)
    return table


def _next_command(summary: RunSummary, serving: str, output: Path) -> str:
    if not summary.pushed_version:
        return f"xdg-open {shlex.quote(display_path(output / 'report.html'))}"
    command = f"{program()} recommend --model {shlex.quote(serving)}"
    if summary.examples:
        example = summary.examples[0]
        command += f" --user {shlex.quote(example.user)} --history {shlex.quote(','.join(example.history))}"
    return command


def program() -> str:
    """The console command: `caser`, or its path if the environment is not activated."""
    return "caser" if shutil.which("caser") else shlex.quote(display_path(Path(sys.executable).with_name("caser")))


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
