"""`caser kubeflow schedule`."""

from __future__ import annotations

from typing import Any

import click

from pipeline.cli.kubeflow.options import run_options, tell_of_node_files, to_request


@click.command("schedule", short_help="Run on a cluster again and again.")
@run_options
@click.option("--cron", required=True, metavar="FIELDS", help="Such as '0 3 * * *': every day at 3 o'clock (UTC).")
def schedule_command(cron: str, **options: Any) -> None:
    """Run on a cluster again and again; with a {SPAN} pattern each run reads the newest span.

    \b
    Example:
      caser kubeflow schedule --host http://localhost:8080 --pipeline pipeline.yaml \\
        --param 'data=data/span-{SPAN}/*.csv' --cron '0 3 * * *'
    """
    from pipeline.kubeflow.submission.runs import schedule

    tell_of_node_files(options["pipeline"])
    click.echo(f"recurring run {schedule(to_request(options), cron)}")
