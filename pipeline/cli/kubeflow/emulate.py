"""`caser kubeflow emulate`."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("emulate", short_help="Run a compiled pipeline on this machine, task by task.")
@click.option("--pipeline", required=True, type=click.Path(path_type=Path), metavar="FILE", help="The compiled file.")
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="DIR/volume stands for the mounted volume; metadata and logs are put beside it.",
)
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="A run parameter; repeatable.")
@click.option(
    "--python",
    default=sys.executable,
    type=click.Path(exists=True, dir_okay=False, executable=True, path_type=Path),
    metavar="FILE",
    help="Its environment stands for the image; the present one by default.",
)
@click.option("--metadata", metavar="HOST:PORT", help="A running ML Metadata service; one is started by default.")
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(min=1), help="Tasks at a time.")
@click.pass_context
def emulate_command(
    context: click.Context,
    pipeline: Path,
    output: Path,
    params: tuple[str, ...],
    python: Path,
    metadata: str | None,
    jobs: int,
) -> None:
    """Run a compiled pipeline on this machine: each task as a process of its own, as a pod would run it.

    \b
    Example:
      mkdir -p out/emulated/volume/data
      cp interactions.csv out/emulated/volume/data/
      caser kubeflow emulate --pipeline pipeline.yaml --output out/emulated --param epochs=2
    """
    from pipeline.console.live_display import RunConsole, new_console
    from pipeline.kubeflow.emulator.emulate import Request, emulate

    with RunConsole(new_console(sys.stdout)) as console:
        context.exit(emulate(Request(pipeline, output, params, python, metadata, jobs), console))
