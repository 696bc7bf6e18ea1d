"""`caser rollback`."""

from __future__ import annotations

import click

from pipeline.cli.serving.options import ServerOptions, label_options, load_timeout_option, server_options


@click.command(short_help="Move a label back to the previous version.")
@label_options
@server_options(multiple=True, required=True)
@load_timeout_option
def rollback(model_dir: str, label: str, base_path: str, servers: ServerOptions, load_timeout: float) -> None:
    """Move a label back to the version before the labelled one.

    If the label is not assigned yet, it is assigned to the version before the newest.

    \b
      caser rollback --model /srv/models/caser --server grpc://host:8500
    """
    from pipeline.console.log_capture import suppress_output

    with suppress_output():
        from pipeline.deployment.labels import promote, version_before

    version = version_before(model_dir, label)
    for step in promote(model_dir, version, label, servers.connections(), base_path, load_timeout):
        click.echo(step)
