"""`caser doctor`."""

from __future__ import annotations

import click


@click.command(short_help="Check this machine and the installation.")
@click.pass_context
def doctor(context: click.Context) -> None:
    """Check Python, glibc, TFX, TensorFlow, devices, memory and disk; the exit status is 1 if a check fails."""
    from pipeline.doctor import run_checks

    problems = 0
    for check in run_checks():
        failed = check.hint is not None
        problems += failed
        click.secho("FAIL   " if failed else "ok     ", fg="red" if failed else "green", nl=False)
        click.echo(f"{check.name:<12} {check.result}")
        if failed:
            click.echo(f"{'':<20}Hint: {check.hint}")
    click.echo(f"{problems} problem(s) found." if problems else "All checks passed.")
    context.exit(1 if problems else 0)
