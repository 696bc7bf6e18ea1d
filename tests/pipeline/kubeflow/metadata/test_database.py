"""ML Metadata over each database that it supports, real ones where they are installed."""

from __future__ import annotations

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2

from components.errors import UserError
from pipeline.kubeflow.metadata.database import PASSWORD, connection_config, description
from pipeline.kubeflow.metadata.retrying_store import RetryingStore
from pipeline.kubeflow.metadata.service import start
from tests.support import databases

pytestmark = pytest.mark.xdist_group("databases")


@pytest.fixture(scope="module", params=[databases.MariaDb, databases.PostgreSql], ids=["mariadb", "postgresql"])
def database(request, tmp_path_factory):
    if not request.param.is_installed():
        pytest.skip("needs a database server: make test-deps")
    server = request.param(tmp_path_factory.mktemp("database") / "data")
    yield server
    server.stop()


@pytest.fixture
def store(database, monkeypatch):
    monkeypatch.setenv(PASSWORD, databases.PASSWORD)
    server, port = start(database.url, "127.0.0.1:0", wait=20)
    config = metadata_store_pb2.MetadataStoreClientConfig(host="127.0.0.1", port=port)
    yield RetryingStore(config, timeout=60)
    server.stop(0)


def test_database_outage_in_the_middle_of_a_run_is_outlived(database, store):
    node = store.put_execution_type(metadata_store_pb2.ExecutionType(name="node"))
    (first,) = store.put_executions([metadata_store_pb2.Execution(type_id=node, name="first")])
    database.stop()
    database.start()
    (second,) = store.put_executions([metadata_store_pb2.Execution(type_id=node, name="second")])
    assert {first: "first", second: "second"}.items() <= {e.id: e.name for e in store.get_executions()}.items()


def test_errors_of_requests_keep_their_code(store):
    with pytest.raises(mlmd.errors.NotFoundError):
        store.get_artifact_type("absent")


def test_wrong_password_is_one_message(database, monkeypatch):
    monkeypatch.setenv(PASSWORD, "wrong")
    with pytest.raises(UserError, match=r"Cannot use the database 127.0.0.1:\d+/caser: .*Hint: check that it exists"):
        start(database.url, "127.0.0.1:0")


@pytest.mark.parametrize(
    ("url", "field", "expected"),
    [
        ("mysql://me@db/caser", "mysql", ("db", 3306, "me", "caser")),
        ("mariadb://me@db:1234/caser", "mysql", ("db", 1234, "me", "caser")),
        ("postgresql://me%40team@db/caser", "postgresql", ("db", "5432", "me@team", "caser")),
    ],
)
def test_database_url_is_parsed(url, field, expected, monkeypatch):
    monkeypatch.setenv(PASSWORD, "p@ss")
    config = getattr(connection_config(url), field)
    name = config.database if field == "mysql" else config.dbname
    assert (config.host, config.port, config.user, name) == expected
    assert config.password == ("p@ss" if field == "mysql" else "'p@ss'")


@pytest.mark.parametrize(
    "url", ["oracle://me@db/caser", "mysql://db/caser", "mysql://me@db", "postgresql://me:secret@db/caser"]
)
def test_invalid_database_url_is_one_message_without_a_password(url):
    with pytest.raises(UserError, match=f"environment variable {PASSWORD}") as caught:
        connection_config(url)
    assert "secret" not in str(caught.value)


def test_missing_directory_of_a_file_is_one_message(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        connection_config(str(tmp_path / "absent" / "metadata.sqlite"))


def test_description_has_no_user():
    assert description("mysql://me@db/caser") == "db/caser"
