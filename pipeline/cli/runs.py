"""`caser runs`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from components.errors import UserError

if TYPE_CHECKING:
    from pipeline.results.runs import Run

_output = click.option(
    "--output", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Output directory of the runs."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
# Metrics of the table.
_SHOWN = ("map", "ndcg_at_10", "recall_at_10")


@click.group(short_help="List the runs of an output directory, or compare two of them.")
def runs() -> None:
    """List the runs of an output directory, or compare two of them, from ML Metadata.

    \b
    Examples:
      caser runs list --output out/mine
      caser runs diff 1 3 --output out/mine
    """


@runs.command("list", short_help="List all runs, oldest first.")
@_output
@_json
def list_runs(output: Path, as_json: bool) -> None:
    """List all runs, oldest first: when, data, metrics, whether the model was blessed, and the version pushed."""
    found = _read(output)
    if as_json:
        click.echo(json.dumps([_as_json(run) for run in found], ensure_ascii=False, indent=1))
        return
    header = ("run", "started (UTC)", "state", "interactions", *_SHOWN, "blessed", "version", "data")
    _print_table([header, *(_row(run) for run in found)])


@runs.command(short_help="Compare two runs.")
@click.argument("one", type=click.IntRange(min=1), metavar="A")
@click.argument("other", type=click.IntRange(min=1), metavar="B")
@_output
@_json
def diff(one: int, other: int, output: Path, as_json: bool) -> None:
    """Print how the runs A and B, numbers of `caser runs list`, differ: data, settings, and their metrics.

    --json has all metrics.
    """
    found = _read(output)
    from pipeline.results.runs import (
        differences,
    )  # after `_read`, which keeps the messages of its imports from the screen
    from pipeline.results.summary import TITLES

    if missing := [number for number in (one, other) if number > len(found)]:
        raise UserError(f"There is no run {missing[0]} in {output}. Hint: its runs are 1 to {len(found)}.")
    different = differences(found[one - 1], found[other - 1])
    if as_json:
        click.echo(json.dumps(different, ensure_ascii=False, indent=1))
        return
    every = {*found[one - 1].metrics, *found[other - 1].metrics}
    shown = [name for name in different if name in TITLES or name not in every]
    rows = [(TITLES.get(name, name), *map(_metric if name in every else _text, different[name])) for name in shown]
    _print_table([("", f"run {one}", f"run {other}"), *rows])


def _read(output: Path) -> list[Run]:
    from pipeline.console.log_capture import suppress_output

    with suppress_output():
        from pipeline.pipeline import PIPELINE_NAME
        from pipeline.results.runs import read_runs

        return read_runs(output / "metadata.sqlite", PIPELINE_NAME)


def _row(run: Run) -> tuple[str, ...]:
    state = "complete" if run.is_complete else f"failed: {', '.join(run.failed)}" if run.failed else "interrupted"
    return (
        str(run.number),
        f"{run.started:%Y-%m-%d %H:%M:%S}",
        state,
        _text(run.interactions),
        *(_metric(run.metrics.get(name)) for name in _SHOWN),
        {True: "yes", False: "no", None: "-"}[run.blessed],
        run.version or "-",
        " ".join(run.files) or "-",
    )


def _as_json(run: Run) -> dict[str, Any]:
    return {**run._asdict(), "started": run.started.isoformat()}


def _metric(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _text(value: Any) -> str:
    return (
        "-" if value is None else f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    )


def _print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
