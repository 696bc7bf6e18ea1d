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
            urls = server if multiple else () if server is None else (server,)
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


def rollout_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that `promote` and `rollback` share, passed together as `rollout: Rollout`."""

    @functools.wraps(command)
    def with_rollout(
        *args: Any,
        model_dir: str,
        base_path: str | None,
        servers: ServerOptions,
        load_timeout: float,
        poll_interval: float,
        **rest: Any,
    ) -> Any:
        from pipeline.console.log_capture import suppress_output

        with suppress_output():
            from pipeline.deployment.rollout import Rollout
        connections = servers.connections()
        return command(
            *args, rollout=Rollout(model_dir, connections, base_path, load_timeout, poll_interval, click.echo), **rest
        )

    decorated: Callable[..., Any] = with_rollout
    for option in (
        click.option(
            "--base-path",
            metavar="DIR",
            help="Directory of the versions as the servers see it (default: that in models.config, or /models/caser).",
        ),
        click.option(
            "--poll-interval",
            default=30.0,
            show_default=True,
            metavar="SECONDS",
            type=click.FloatRange(min=0),
            help="The servers' --model_config_file_poll_wait_seconds; 0 if every server is named with --server.",
        ),
        load_timeout_option,
        server_options(multiple=True),
        click.option("--label", default="stable", show_default=True, metavar="NAME", help="Label to move."),
        click.option("--model", "model_dir", required=True, metavar="DIR", help="Directory of the versions."),
    ):
        decorated = option(decorated)
    return decorated
