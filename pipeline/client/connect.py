"""Chooses the transport for the URL of a server."""

from __future__ import annotations

from urllib.parse import urlsplit

from components.errors import UserError
from pipeline.client.transport import Connection, Transport
from pipeline.client.validation import check_text, check_timeout


def connect(connection: Connection) -> Transport:
    """Creates the transport for a URL; nothing is sent yet.

    Args:
        connection: the server.

    Raises:
        UserError: an argument is invalid, or the URL has no known scheme or no host.
    """
    connection = connection._replace(
        url=check_text(connection.url, "url"),
        timeout=check_timeout(connection.timeout),
        token=None if connection.token is None else check_text(connection.token, "token"),
        label=None if connection.label is None else check_text(connection.label, "label"),
    )
    try:
        parts = urlsplit(connection.url)
        scheme, host = parts.scheme, parts.netloc
        # gRPC has names of its own with several addresses, such as ipv4:10.0.0.1:8500,10.0.0.2:8500.
        if scheme.startswith("http") or host.count(":") == 1:
            host = parts.hostname or ""
            _ = parts.port
    except ValueError as error:
        raise UserError(
            f"{connection.url!r} is no URL: {error}. Hint: use http://HOST:8501 or grpc://HOST:8500."
        ) from None
    try:
        if scheme in ("http", "https") and host:
            from pipeline.client.rest_transport import RestTransport

            return RestTransport(connection)
        if scheme in ("grpc", "grpcs") and host:
            from pipeline.client.grpc_transport import GrpcTransport

            return GrpcTransport(connection)
    except ModuleNotFoundError as error:
        raise UserError(
            f"The client of a server needs the package `{error.name}`. Hint: pip install 'tfx-caser[serving]'"
        ) from None
    raise UserError(
        f"Unknown server URL. Received: {connection.url!r}. "
        "Hint: use http://HOST:8501, https://..., grpc://HOST:8500 or grpcs://..."
    )
