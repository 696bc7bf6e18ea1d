"""`caser kubeflow schedule`."""

from __future__ import annotations

from typing import Any

import click

from pipeline.cli.kubeflow.options import print_payload_note, run_options, to_request


@click.command("schedule", short_help="Schedule recurring runs on a cluster.")
@run_options
@click.option("--cron", required=True, metavar="FIELDS", help="Cron schedule, such as '0 3 * * *': daily at 3:00 UTC.")
def schedule_command(cron: str, **options: Any) -> None:
    """Schedule recurring runs on a cluster; with a {SPAN} pattern, each run reads the latest span.

    \b
    Example:
      caser kubeflow schedule --host http://localhost:8080 --pipeline pipeline.yaml \\
        --param 'data=data/span-{SPAN}/*.csv' --cron '0 3 * * *'
    """
    from pipeline.kubeflow.submission.runs import schedule

    print_payload_note(options["pipeline"])
    click.echo(f"recurring run {schedule(to_request(options), cron)}")
