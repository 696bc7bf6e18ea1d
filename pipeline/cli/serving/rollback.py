"""`caser rollback`."""

from __future__ import annotations

import click

from pipeline.cli.serving.options import connections, load_timeout_option, server_options


@click.command(short_help="Give a label back to the version before.")
@click.option("--model", "model_dir", required=True, metavar="DIR", help="The folder of versions.")
@click.option("--label", default="stable", show_default=True, metavar="NAME", help="What goes back.")
@click.option(
    "--base-path", default="/models/caser", show_default=True, metavar="DIR", help="The folder as the servers see it."
)
@server_options(multiple=True, required=True)
@load_timeout_option
def rollback(
    model_dir: str,
    label: str,
    base_path: str,
    servers: tuple[str, ...],
    timeout: float,
    token: str | None,
    ca: str | None,
    load_timeout: float,
) -> None:
    """Give a label back to the version before the one that has it.

    Where nothing was labelled yet, the servers go back to the version before the newest.

    \b
      caser rollback --model /srv/models/caser --server grpc://host:8500
    """
    from pipeline.console.log_capture import silence

    with silence():
        from pipeline.deployment.labels import promote, version_before

    version = version_before(model_dir, label)
    for step in promote(model_dir, version, label, connections(servers, timeout, token, ca), base_path, load_timeout):
        click.echo(step)
