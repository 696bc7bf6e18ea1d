"""`caser tune`."""

from __future__ import annotations

from pathlib import Path

import click

from components.errors import UserError
from pipeline.cli.options import config_options
from pipeline.console.log_capture import silence_end_of_python


@click.command(short_help="Search for hyperparameters.")
@click.option("--data", metavar="PATH", help="Interaction log: file, directory, glob or {SPAN} pattern.")
@click.option("--sample", is_flag=True, help="Use the built-in sample instead of --data.")
@config_options
@click.option("--output", required=True, metavar="DIR", help="Output directory; the same as for `caser run`.")
@click.option("--trials", type=click.IntRange(min=1), metavar="N", help="Number of trainings (default: tuner.trials).")
@click.pass_context
def tune(
    context: click.Context,
    data: str | None,
    sample: bool,
    preset: str | None,
    config_file: Path | None,
    overrides: tuple[str, ...],
    output: str,
    trials: int | None,
) -> None:
    """Search for hyperparameters with TFX's Tuner: trainings with other settings, compared on the valid split.

    The first trial has the settings as they are. The best ones are written to DIR/tuning/best.yaml, for `caser run
    --config`. A search that was stopped goes on with the same command, and a larger --trials continues it.

    \b
    Examples:
      caser tune --data interactions.csv --trials 20 --output out/mine
      caser run --data interactions.csv --config out/mine/tuning/best.yaml --output out/mine
    """
    from pipeline.config.config import load_config
    from pipeline.local.run import RunRequest
    from pipeline.local.tune import tune as search

    if sample == (data is not None):
        raise UserError("Pass either --data PATH, or --sample for the built-in sample.")
    if sample and preset is None:
        preset = "sample"
    more = ["tuner.enabled=true", *([f"tuner.trials={trials}"] if trials else [])]
    config = load_config(preset, config_file, [*overrides, *more])
    try:
        status = search(RunRequest(config, data, output))
    finally:
        silence_end_of_python()
    context.exit(status)
