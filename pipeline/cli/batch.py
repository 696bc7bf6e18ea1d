"""`caser recommend --all-users`: the console of batch recommendations."""

from __future__ import annotations

import sys
import time

import click

from pipeline.console.live_display import new_console
from pipeline.console.log_capture import silence_end_of_python, suppress_output
from pipeline.console.run_summary import display_path
from pipeline.local.batch_request import BatchRequest, batch_format


def recommend_for_all_users(request: BatchRequest) -> None:
    """Writes the file, and shows how many users are done.

    Args:
        request: arguments of the command.
    """
    batch_format(request.output)
    console, started, first, done = new_console(sys.stderr), time.monotonic(), 0.0, 0
    try:
        with console.status("starting Beam ...") as status:

            def show(users: int) -> None:
                nonlocal first, done
                # The first users wait until the model is loaded.
                first, done = first or time.monotonic(), done + users
                speed = f", {done / (time.monotonic() - first):,.0f} per second" if time.monotonic() > first + 1 else ""
                status.update(f"{done:,} users{speed}")

            with suppress_output():
                from pipeline.local.batch import recommend_in_batch

                result = recommend_in_batch(request, show)
    finally:
        silence_end_of_python()
    if result.missing:
        click.echo(f"Note: {result.missing:,} of the users in {request.users} have no history.", err=True)
    click.echo(f"{display_path(request.output)}: {result.users:,} users in {time.monotonic() - started:.0f} s")
