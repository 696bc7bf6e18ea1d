"""The servers that a command names, one connection per address."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from components.errors import UserError
from pipeline.client.transport import Connection


def every_address(servers: list[Connection]) -> list[Connection]:
    """Resolves host names, since behind the name of a headless Service there is one address per replica.

    Args:
        servers: connections by host name or address.

    Returns:
        One connection per address; a name with a single address is kept as it is.

    Raises:
        UserError: a name cannot be resolved.
    """
    return [connection for server in servers for connection in _addresses(server)]


def _addresses(server: Connection) -> list[Connection]:
    parts = urlsplit(server.url)
    host, port = parts.hostname or "", parts.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UserError(f"Cannot resolve the host of --server {server.url}: {error.strerror}.") from None
    addresses = sorted({str(entry[4][0]) for entry in found})
    # A host usually has an IPv4 and an IPv6 address, which are the same server.
    addresses = [address for address in addresses if ipaddress.ip_address(address).version == 4] or addresses
    if len(addresses) == 1:
        return [server]
    suffix = f":{port}" if port else ""
    return [
        server._replace(url=f"{parts.scheme}://{_bracketed(address)}{suffix}{parts.path}", tls_name=host)
        for address in addresses
    ]


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
