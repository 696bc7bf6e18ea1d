"""`caser push`."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.serving.options import connections, load_timeout_option, server_options


@click.command(short_help="Push a model to a serving folder, and see that servers answer with it.")
@click.option(
    "--model",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A SavedModel, or DIR/serving/caser of a run.",
)
@click.option("--to", "target", required=True, metavar="DIR", help="The folder of versions that the servers read.")
@click.option("--keep", default=3, show_default=True, type=click.IntRange(min=1), help="Versions that stay.")
@server_options(multiple=True)
@load_timeout_option
def push(
    model: Path,
    target: str,
    keep: int,
    servers: tuple[str, ...],
    timeout: float,
    token: str | None,
    ca: str | None,
    load_timeout: float,
) -> None:
    """Push a model to a serving folder, and see that servers answer with it.

    The model is verified before anybody sees it. With --server, the command waits until the version is AVAILABLE there
    and asks the golden request.

    \b
      caser push --model out/mine/serving/caser --to /srv/models/caser --server http://host:8501
    """
    from pipeline.deployment.push import push as pushed

    for step in pushed(model, target, keep, connections(servers, timeout, token, ca), load_timeout):
        click.echo(step)
