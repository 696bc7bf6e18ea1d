"""The end of a run on the screen: what it found, where things are, what to try next."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.console.root_cause import Failure
from pipeline.results.summary import TITLES, Summary


def closing(console: Console, summary: Summary, output: Path, log: Path, seconds: float) -> None:
    """Shows a finished run.

    Args:
        console: of the screen.
        summary: of the run.
        output: absolute.
        log: absolute.
        seconds: from the command to here.
    """
    console.print()
    console.print(_table(summary))
    if summary.sequential_rules is None:
        console.print(f"  Markov counts: {summary.sequential_rules_note}", style="dim", markup=False, soft_wrap=True)
    console.print()
    verdict = Text(
        "  Blessed: " if summary.blessed else "  Not blessed: ", "bold green" if summary.blessed else "bold red"
    )
    console.print(verdict.append(summary.blessing_reason, "none"), soft_wrap=True)
    console.print()
    serving = output / "serving" / "caser"
    places = [
        (
            "model",
            f"{shown(serving)}/{summary.pushed_version}"
            if summary.pushed_version
            else "none was pushed"
            if summary.blessed
            else "none was pushed, since none was blessed",
        ),
        ("report", shown(output / "report.html")),
        ("metrics", shown(output / "metrics.json")),
        ("training", f"tensorboard --logdir {shlex.quote(shown(output / 'tensorboard'))}"),
        ("log", shown(log)),
    ]
    for name, place in places:
        console.print(Text.assemble("  ", (f"{name:<10}", "dim"), place), soft_wrap=True)
    console.print()
    console.print(f"  Finished in {_duration(seconds)}. Next:", markup=False)
    console.print(f"    {_next_command(summary, serving, output)}\n", style="bold", markup=False, soft_wrap=True)


def say_failure(console: Console, failure: Failure, log: str) -> None:
    """Shows why a node failed.

    Args:
        console: of the screen.
        failure: its cause.
        log: where the rest is.
    """
    console.print(Text.assemble("\n", ("Error: ", "bold red"), failure.text), soft_wrap=True)
    if not failure.is_user_error:
        console.print("  This is not a known mistake in data or settings; the log has the whole trace.")
    console.print(Text.assemble(("  log       ", "dim"), log, "\n"), soft_wrap=True)


def shown(path: Path) -> str:
    """A path as the user would type it: relative where it is below the present folder."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _table(summary: Summary) -> Table:
    columns = summary.columns()
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2))
    table.add_column("  held-out interactions")
    for title, _ in columns:
        table.add_column(title, justify="right", style="bold" if title == "Caser" else "")
    for name in summary.main_metrics():
        values = [f"{values[name]:.4f}" if name in values else "" for _, values in columns]
        table.add_row(f"  {TITLES[name]}", *values)
    return table


def _next_command(summary: Summary, serving: Path, output: Path) -> str:
    if not summary.pushed_version:
        return f"xdg-open {shlex.quote(shown(output / 'report.html'))}"
    command = f"{_program()} recommend --model {shlex.quote(shown(serving))}"
    if summary.examples:
        example = summary.examples[0]
        command += f" --user {shlex.quote(example.user)} --history {shlex.quote(','.join(example.history))}"
    return command


def _program() -> str:
    """What to type for `caser`: its path where the environment is not activated."""
    return "caser" if shutil.which("caser") else shlex.quote(shown(Path(sys.executable).with_name("caser")))


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
