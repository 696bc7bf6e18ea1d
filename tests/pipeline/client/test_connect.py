"""The transport for a URL."""

import sys

import pytest

from components.errors import UserError
from pipeline.client.connect import connect
from pipeline.client.transport import Connection


@pytest.mark.parametrize(
    ("url", "module", "package"),
    [
        ("http://localhost:8501", "pipeline.client.rest_transport", "urllib3"),
        ("grpc://localhost:8500", "pipeline.client.grpc_transport", "grpc"),
    ],
)
def test_missing_package_of_a_transport_is_named_with_its_extra(monkeypatch, url, module, package):
    monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    with pytest.raises(UserError, match=f"needs the package `{package}`.*pip install 'tfx-caser\\[serving\\]'"):
        connect(Connection(url))
