"""`caser kubeflow submit`."""

from __future__ import annotations

import sys
from typing import Any

import click

from pipeline.cli.kubeflow.options import pending_option, print_payload_note, run_options, to_request


@click.command("submit", short_help="Start a run on a cluster.")
@run_options
@click.option("--wait", is_flag=True, help="Follow the run; the exit status is 1 if it fails.")
@pending_option
@click.pass_context
def submit_command(context: click.Context, wait: bool, pending_after: float, **options: Any) -> None:
    """Start a run on a cluster; a new file is uploaded as a new version of the pipeline first.

    \b
    Example:
      kubectl port-forward -n kubeflow svc/ml-pipeline-ui 8080:80 &
      caser kubeflow submit --host http://localhost:8080 --pipeline pipeline.yaml --param epochs=5 --wait
    """
    from pipeline.console.live_display import RunConsole, new_console
    from pipeline.kubeflow.submission.runs import submit

    print_payload_note(options["pipeline"])
    with RunConsole(new_console(sys.stdout)) as console:
        context.exit(submit(to_request(options)._replace(pending_after=pending_after), wait, console))
