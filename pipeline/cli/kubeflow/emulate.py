"""`caser kubeflow emulate`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pipeline.kubeflow.emulator.pod import RetryPolicy


@click.command("emulate", short_help="Run a compiled pipeline locally, one process per task.")
@click.option("--pipeline", required=True, type=click.Path(path_type=Path), metavar="FILE", help="Compiled pipeline.")
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Output directory; DIR/volume stands in for the volume.",
)
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="Run parameter; repeatable.")
@click.option(
    "--python",
    default=sys.executable,
    type=click.Path(exists=True, dir_okay=False, executable=True, path_type=Path),
    metavar="FILE",
    help="Python interpreter that stands in for the image (default: this one).",
)
@click.option("--metadata", metavar="HOST:PORT", help="Running ML Metadata service (default: start one).")
@click.option(
    "--jobs", default=2, show_default=True, type=click.IntRange(min=1), help="Maximum number of concurrent tasks."
)
@click.option(
    "--retry-policy",
    default="OnError",
    show_default=True,
    type=click.Choice(["OnError", "OnFailure", "Always"]),
    help="Retry policy of the cluster's workflow controller: OnError since Kubeflow Pipelines 2.17, OnFailure before.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="KIND:NODE[@SECONDS]",
    help="What happens to a task after so many seconds: delete or evict its pod, or metadata-outage; repeatable.",
)
@click.pass_context
def emulate_command(
    context: click.Context,
    pipeline: Path,
    output: Path,
    params: tuple[str, ...],
    python: Path,
    metadata: str | None,
    jobs: int,
    retry_policy: RetryPolicy,
    faults: tuple[str, ...],
) -> None:
    """Run a compiled pipeline locally: one process per task, as pods would run them.

    \b
    Example:
      mkdir -p out/emulated/volume/data
      cp interactions.csv out/emulated/volume/data/
      caser kubeflow emulate --pipeline pipeline.yaml --output out/emulated --param epochs=2
    """
    from pipeline.console.live_display import RunConsole, new_console
    from pipeline.kubeflow.emulator.emulate import EmulateRequest, emulate

    with RunConsole(new_console(sys.stdout)) as console:
        request = EmulateRequest(pipeline, output, params, python, metadata, jobs, retry_policy, faults)
        context.exit(emulate(request, console))
