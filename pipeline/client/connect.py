"""Chooses the transport for the URL of a server."""

from __future__ import annotations

from urllib.parse import urlsplit

from components.errors import UserError
from pipeline.client.transport import Connection, Transport


def connect(connection: Connection) -> Transport:
    """The transport that the URL names; nothing is sent yet.

    Args:
        connection: to whom.

    Raises:
        UserError: the URL is none of a server.
    """
    scheme, host = urlsplit(connection.url)[:2]
    if scheme in ("http", "https") and host:
        from pipeline.client.rest_transport import RestTransport

        return RestTransport(connection)
    if scheme in ("grpc", "grpcs") and host:
        from pipeline.client.grpc_transport import GrpcTransport

        return GrpcTransport(connection)
    raise UserError(
        "A server should be http://HOST:8501, https://..., grpc://HOST:8500 or grpcs://... "
        f"Received: {connection.url!r}"
    )
