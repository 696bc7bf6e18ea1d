"""Options of the commands that connect to servers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from pipeline.client.transport import Connection

_URLS = "http://HOST:8501, https://..., grpc://HOST:8500 or grpcs://..."


class ServerOptions(NamedTuple):
    """Servers and how to connect to them.

    Attributes:
        urls: URLs of the servers.
        timeout: deadline of one request in seconds, including all retries.
        token: bearer token.
        ca: PEM file of the trusted certificate authorities.
    """

    urls: tuple[str, ...]
    timeout: float
    token: str | None
    ca: str | None

    def connections(self, label: str | None = None) -> list[Connection]:
        """The connections, one per server.

        Args:
            label: version label that requests target.
        """
        from pipeline.client.transport import Connection

        return [Connection(url, self.timeout, self.token, self.ca, label) for url in self.urls]


def server_options(multiple: bool, required: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Adds `--server`, `--timeout`, `--token` and `--ca`, passed together as `servers: ServerOptions`.

    Args:
        multiple: whether `--server` is repeatable.
        required: whether at least one server is required.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def with_servers(
            *args: Any, server: Any, timeout: float, token: str | None, ca: str | None, **rest: Any
        ) -> Any:
            urls = server if multiple else (server,) if server else ()
            return command(*args, servers=ServerOptions(urls, timeout, token, ca), **rest)

        decorated: Callable[..., Any] = with_servers
        for option in (
            click.option("--ca", metavar="FILE", help="PEM file of the trusted certificate authority."),
            click.option("--token", metavar="TOKEN", envvar="CASER_TOKEN", help="Bearer token; also $CASER_TOKEN."),
            click.option(
                "--timeout",
                default=10.0,
                show_default=True,
                metavar="SECONDS",
                type=click.FloatRange(min=0, min_open=True),
                help="Deadline of one request, including all retries.",
            ),
            click.option(
                "--server",
                multiple=multiple,
                required=required,
                metavar="URL",
                help=_URLS + ("; repeatable." if multiple else ""),
            ),
        ):
            decorated = option(decorated)
        return decorated

    return decorate


load_timeout_option = click.option(
    "--load-timeout",
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    help="How long a server may take to find and load a version.",
)


def label_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that `promote` and `rollback` share: `--model`, `--label` and `--base-path`."""
    for option in (
        click.option(
            "--base-path",
            default="/models/caser",
            show_default=True,
            metavar="DIR",
            help="Directory of the versions as the servers see it.",
        ),
        click.option("--label", default="stable", show_default=True, metavar="NAME", help="Label to move."),
        click.option("--model", "model_dir", required=True, metavar="DIR", help="Directory of the versions."),
    ):
        command = option(command)
    return command
