"""`caser doctor`."""

from __future__ import annotations

import click


@click.command(short_help="Check this machine and the installation.")
@click.pass_context
def doctor(context: click.Context) -> None:
    """Check Python, glibc, TFX, TensorFlow, devices, memory and disk; exit status 1 when something is wrong."""
    from pipeline.doctor import examine

    findings = []
    for finding in examine():
        findings.append(finding)
        click.secho(
            "ok     " if finding.remedy is None else "WRONG  ", fg="red" if finding.remedy else "green", nl=False
        )
        click.echo(f"{finding.what:<12} {finding.found}")
        if finding.remedy:
            click.echo(f"{'':<20}remedy: {finding.remedy}")
    wrong = sum(finding.remedy is not None for finding in findings)
    click.echo("Everything is in order." if not wrong else f"{wrong} thing(s) to mend.")
    context.exit(1 if wrong else 0)
