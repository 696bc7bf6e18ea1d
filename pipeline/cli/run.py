"""`caser run`."""

from __future__ import annotations

from pathlib import Path

import click

from components.errors import UserError
from pipeline.cli.options import config_options
from pipeline.console.log_capture import silence_end_of_python


@click.command(short_help="Train, evaluate and publish a model from an interaction log.")
@click.option("--data", metavar="PATH", help="Interaction log: file, directory, glob or {SPAN} pattern.")
@click.option("--sample", is_flag=True, help="Use the built-in sample instead of --data.")
@config_options
@click.option("--output", required=True, metavar="DIR", help="Output directory, or a URI such as gs://bucket/mine.")
@click.option(
    "--orchestrator",
    type=click.Choice(["local", "beam"]),
    default="local",
    show_default=True,
    help="TFX's LocalDagRunner or BeamDagRunner.",
)
@click.option(
    "--beam-arg",
    "beam_args",
    multiple=True,
    metavar="ARG",
    help="Beam option of the data nodes, such as --beam-arg=--runner=FlinkRunner; repeatable.",
)
@click.option("--shared-output", is_flag=True, help="Beam's workers mount --output at the same path.")
@click.pass_context
def run(
    context: click.Context,
    data: str | None,
    sample: bool,
    preset: str | None,
    config_file: Path | None,
    overrides: tuple[str, ...],
    output: str,
    orchestrator: str,
    beam_args: tuple[str, ...],
    shared_output: bool,
) -> None:
    """Train, evaluate and publish a model from an interaction log: CSV, TSV, Parquet, JSON lines ... (docs/data.md).

    A second run with the same --output reuses every node whose inputs and settings did not change.

    \b
    Examples:
      caser run --sample --output out/sample
      caser run --data interactions.csv --output out/mine
      caser run --data ratings.dat --preset movielens-dat --set trainer.epochs=5 --output out/ml
    """
    from pipeline.config.config import load_config
    from pipeline.local.run import RunRequest, run_pipeline

    if sample == (data is not None):
        raise UserError("Pass either --data PATH, or --sample for the built-in sample.")
    if sample and preset is None:
        preset = "sample"
    config = load_config(preset, config_file, overrides)
    request = RunRequest(config, data, output, orchestrator == "beam", beam_args, shared_output)
    try:
        status = run_pipeline(request)
    finally:
        silence_end_of_python()
    context.exit(status)
