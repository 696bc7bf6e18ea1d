"""`caser promote`."""

from __future__ import annotations

import click

from pipeline.cli.serving.options import connections, load_timeout_option, server_options


@click.command(short_help="Give a label (stable, canary) to a version, on running servers.")
@click.argument("version", type=click.IntRange(min=0))
@click.option("--model", "model_dir", required=True, metavar="DIR", help="The folder of versions.")
@click.option("--label", default="stable", show_default=True, metavar="NAME", help="PredictRequests may ask for it.")
@click.option(
    "--base-path", default="/models/caser", show_default=True, metavar="DIR", help="The folder as the servers see it."
)
@server_options(multiple=True, required=True)
@load_timeout_option
def promote(
    version: int,
    model_dir: str,
    label: str,
    base_path: str,
    servers: tuple[str, ...],
    timeout: float,
    token: str | None,
    ca: str | None,
    load_timeout: float,
) -> None:
    """Give a label to a version, on running servers and in their models.config.

    Every server loads the version first; only when it is AVAILABLE everywhere, the label moves. From the first label
    on, servers load what has a label, and no longer whatever is newest.

    \b
      caser promote 1767225600 --model /srv/models/caser --label canary --server grpc://host:8500
    """
    from pipeline.console.log_capture import silence

    with silence():
        from pipeline.deployment.labels import promote as promoted

    for step in promoted(model_dir, version, label, connections(servers, timeout, token, ca), base_path, load_timeout):
        click.echo(step)
