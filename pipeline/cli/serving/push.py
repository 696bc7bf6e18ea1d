"""`caser push`."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.serving.options import ServerOptions, load_timeout_option, server_options


@click.command(short_help="Publish a model and wait until servers serve it.")
@click.option(
    "--model",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="SavedModel, or DIR/serving/caser of a run.",
)
@click.option("--to", "target", required=True, metavar="DIR", help="Directory of the versions that the servers read.")
@click.option("--keep", default=3, show_default=True, type=click.IntRange(min=1), help="Number of versions to keep.")
@click.option("--allow-no-warmup", is_flag=True, help="Publish a model without warm-up requests.")
@server_options(multiple=True)
@load_timeout_option
def push(
    model: Path, target: str, keep: int, allow_no_warmup: bool, servers: ServerOptions, load_timeout: float
) -> None:
    """Publish a model and wait until servers serve it.

    The model is verified before it becomes visible. With --server, the command waits until the version is AVAILABLE
    there and replays the golden request. Servers with labels load it when it is promoted.

    \b
      caser push --model out/mine/serving/caser --to /srv/models/caser --server http://host:8501
    """
    from pipeline.deployment.push import push as push_to_servers

    for step in push_to_servers(model, target, keep, servers.connections(), load_timeout, allow_no_warmup):
        click.echo(step)
