"""Options of the commands that talk to a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pipeline.client.transport import Connection


def server_options(multiple: bool, required: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Adds `--server`, `--timeout`, `--token` and `--ca`.

    Args:
        multiple: whether `--server` may be given more than once; it is then passed as the tuple `servers`.
        required: whether at least one is needed.
    """

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in (
            click.option("--ca", metavar="FILE", help="PEM of the authority to trust, where the system does not."),
            click.option("--token", metavar="TOKEN", envvar="CASER_TOKEN", help="Bearer token; also $CASER_TOKEN."),
            click.option(
                "--timeout",
                default=10.0,
                show_default=True,
                metavar="SECONDS",
                type=click.FloatRange(min=0, min_open=True),
                help="For one request, with all its repetitions.",
            ),
            click.option(
                "--server",
                "servers" if multiple else "server",
                multiple=multiple,
                required=required,
                metavar="URL",
                help="http://HOST:8501, https://..., grpc://HOST:8500 or grpcs://..."
                + (" May be given more than once." if multiple else ""),
            ),
        ):
            command = option(command)
        return command

    return add


def connections(servers: tuple[str, ...], timeout: float, token: str | None, ca: str | None) -> list[Connection]:
    """What the options say."""
    from pipeline.client.transport import Connection

    return [Connection(server, timeout, token, ca) for server in servers]


load_timeout_option = click.option(
    "--load-timeout",
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    help="How long a server may take to find and load a version.",
)
