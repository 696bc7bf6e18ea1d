"""`caser kubeflow follow`."""

from __future__ import annotations

import sys
from typing import Any

import click

from pipeline.cli.kubeflow.options import access_options, pending_option, to_access


@click.command("follow", short_help="Follow a run on a cluster until it ends.")
@click.argument("run_id", metavar="RUN")
@access_options
@pending_option
@click.pass_context
def follow_command(context: click.Context, run_id: str, pending_after: float, **options: Any) -> None:
    """Follow a run on a cluster until it ends: its nodes, why one failed, and which pod cannot start.

    The exit status is 1 if the run fails. Ctrl-C leaves the run going. Reasons are read from Kubernetes with the
    configuration of kubectl; without access, the commands that show them are printed.

    \b
    Example:
      caser kubeflow follow 5f2c81f0-8a2b-4c43-a5a3-0e2f5a7f6c11 --host http://localhost:8080
    """
    from pipeline.console.live_display import RunConsole, new_console
    from pipeline.kubeflow.submission.follow import FollowRequest
    from pipeline.kubeflow.submission.runs import follow_run

    with RunConsole(new_console(sys.stdout)) as console:
        context.exit(follow_run(FollowRequest(to_access(options), run_id, pending_after), console))
