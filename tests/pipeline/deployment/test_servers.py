"""Names of servers, and the addresses behind them."""

import socket

import pytest

from components.errors import UserError
from pipeline.client.transport import Connection
from pipeline.deployment.servers import every_address


@pytest.fixture
def resolve(monkeypatch):
    """A function that sets the addresses of every name."""

    def to(*addresses):
        def getaddrinfo(host, port, **_):
            return [
                (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
                for address in addresses
            ]

        monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)

    return to


def test_headless_service_stands_for_all_its_addresses(resolve):
    resolve("10.0.0.2", "10.0.0.1", "10.0.0.1")
    found = every_address([Connection("grpcs://caser-serving-headless:8500", token="t")])
    assert [server.url for server in found] == ["grpcs://10.0.0.1:8500", "grpcs://10.0.0.2:8500"]
    assert {(server.tls_name, server.token) for server in found} == {("caser-serving-headless", "t")}


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["127.0.0.1", "::1"]])
def test_single_server_is_kept_by_its_name(resolve, addresses):
    resolve(*addresses)
    server = Connection("grpc://localhost:8500")
    assert every_address([server]) == [server]


def test_addresses_of_version_6_have_brackets(resolve):
    resolve("fd00::1", "fd00::2")
    found = every_address([Connection("grpc://caser:8500")])
    assert [server.url for server in found] == ["grpc://[fd00::1]:8500", "grpc://[fd00::2]:8500"]


def test_unknown_host_is_one_message(monkeypatch):
    def getaddrinfo(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    with pytest.raises(
        UserError, match="Cannot resolve the host of --server grpc://nowhere:1: Name or service not known"
    ):
        every_address([Connection("grpc://nowhere:1")])
