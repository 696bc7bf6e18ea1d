"""ML Metadata over each database that it supports, real ones where they are installed."""

from __future__ import annotations

import threading

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.components.schema_gen.import_schema_gen import executor

from components.errors import UserError
from pipeline.config.config import load_config
from pipeline.kubeflow.compiler.cluster_settings import ClusterSettings
from pipeline.kubeflow.compiler.spec import compile_pipeline
from pipeline.kubeflow.metadata.database import PASSWORD, connection_config, description
from pipeline.kubeflow.metadata.retrying_store import RetryingStore
from pipeline.kubeflow.metadata.service import start
from pipeline.kubeflow.step.run_step import StepArguments, run_step
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
    client = RetryingStore(config, timeout=60)
    client.port = port
    yield client
    server.stop(0)


def test_database_outage_in_the_middle_of_a_run_is_outlived(database, store):
    node = store.put_execution_type(metadata_store_pb2.ExecutionType(name="node"))
    (first,) = store.put_executions([metadata_store_pb2.Execution(type_id=node, name="first")])
    database.stop()
    database.start()
    (second,) = store.put_executions([metadata_store_pb2.Execution(type_id=node, name="second")])
    assert {first: "first", second: "second"}.items() <= {e.id: e.name for e in store.get_executions()}.items()


def test_database_that_restarts_in_the_middle_of_a_step_is_outlived(database, store, tmp_path, monkeypatch):
    spec = compile_pipeline(load_config("sample"), "data/log.csv", "caser:1", ClusterSettings()).pipeline
    arguments = spec["deploymentSpec"]["executors"]["exec-import-schema-gen"]["container"]["args"]
    import_schema = executor.Executor.Do

    def import_then_restart(self, *inputs):
        import_schema(self, *inputs)
        database.stop()
        threading.Timer(1, database.start).start()

    monkeypatch.setattr("sys.argv", ["step"])
    monkeypatch.setattr(executor.Executor, "Do", import_then_restart)
    address = f"127.0.0.1:{store.port}"
    node = arguments[arguments.index("--node") + 1]
    step = StepArguments(node, "run-1", address, 60, str(tmp_path), str(tmp_path / "pipeline"))
    assert run_step(step) == "done"
    (kind,) = [kind for kind in store.get_execution_types() if "ImportSchemaGen" in kind.name]
    states = [execution.last_known_state for execution in store.get_executions_by_type(kind.name)]
    assert states == [metadata_store_pb2.Execution.COMPLETE]
    assert len(store.get_artifacts_by_type("Schema")) == 1


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
