"""`caser promote`."""

from __future__ import annotations

import click

from pipeline.cli.serving.options import ServerOptions, label_options, load_timeout_option, server_options


@click.command(short_help="Assign a label (stable, canary) to a version on running servers.")
@click.argument("version", type=click.IntRange(min=0))
@label_options
@server_options(multiple=True, required=True)
@load_timeout_option
def promote(
    version: int, model_dir: str, label: str, base_path: str, servers: ServerOptions, load_timeout: float
) -> None:
    """Assign a label to a version on running servers and in their models.config.

    Every server loads the version first; the label moves when it is AVAILABLE on all of them. Once there are labels,
    servers load labelled versions only, and no longer the newest one.

    \b
      caser promote 1767225600 --model /srv/models/caser --label canary --server grpc://host:8500
    """
    from pipeline.console.log_capture import suppress_output

    with suppress_output():
        from pipeline.deployment.labels import promote as promote_version

    for step in promote_version(model_dir, version, label, servers.connections(), base_path, load_timeout):
        click.echo(step)
