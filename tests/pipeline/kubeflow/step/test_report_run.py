"""The exit task: what it reports of a run, to a real HTTP server, from a real ML Metadata."""

from __future__ import annotations

import ml_metadata as mlmd
import pytest
from click.testing import CliRunner
from ml_metadata.proto import metadata_store_pb2

from pipeline.kubeflow.compiler.exit_task import WEBHOOK
from pipeline.kubeflow.metadata.service import start
from pipeline.kubeflow.step.report_run import main, report_of
from tests.support.http_server import serving

NODES = ["CaserTrainer", "Evaluator", "CaserPusher"]
Execution = metadata_store_pb2.Execution


@pytest.fixture
def service(tmp_path):
    server, port = start(str(tmp_path / "metadata.sqlite"), "127.0.0.1:0")
    yield f"127.0.0.1:{port}"
    server.stop(0)


@pytest.fixture
def store(service):
    host, port = service.split(":")
    return mlmd.MetadataStore(metadata_store_pb2.MetadataStoreClientConfig(host=host, port=int(port)))


@pytest.fixture
def record(store):
    """A function that records an execution as TFX does."""
    node_type = store.put_execution_type(metadata_store_pb2.ExecutionType(name="type"))
    kinds = {
        kind: store.put_context_type(metadata_store_pb2.ContextType(name=kind)) for kind in ("pipeline_run", "node")
    }
    kind = metadata_store_pb2.ArtifactType(name="PushedModel")
    pushed_type = store.put_artifact_type(kind)

    def put(node, state, pushed=None):
        contexts = [
            metadata_store_pb2.Context(type_id=kinds["pipeline_run"], name="r1"),
            metadata_store_pb2.Context(type_id=kinds["node"], name=f"caser.{node}"),
        ]
        pairs = []
        if pushed is not None:
            artifact = metadata_store_pb2.Artifact(type_id=pushed_type, uri="/x")
            artifact.custom_properties["pushed"].int_value = pushed
            pairs = [(artifact, metadata_store_pb2.Event(type=metadata_store_pb2.Event.OUTPUT))]
        execution = Execution(type_id=node_type, last_known_state=state)
        store.put_execution(execution, pairs, contexts, reuse_context_if_already_exist=True)

    return put


def test_run_with_a_pushed_model_is_not_reported(store, record):
    record("CaserTrainer", Execution.CACHED)
    record("Evaluator", Execution.COMPLETE)
    record("CaserPusher", Execution.COMPLETE, pushed=1)
    assert report_of(store, "r1", NODES, push=True) is None


def test_failed_node_is_reported(store, record):
    record("CaserTrainer", Execution.COMPLETE)
    record("Evaluator", Execution.FAILED)
    report = report_of(store, "r1", NODES, push=True)
    assert (report.state, report.nodes) == ("failed", ["Evaluator", "CaserPusher"])
    assert report.text == "Run r1 of caser failed: Evaluator."


def test_retried_node_that_succeeded_is_not_reported(store, record):
    record("CaserTrainer", Execution.FAILED)
    record("CaserTrainer", Execution.COMPLETE)
    record("Evaluator", Execution.COMPLETE)
    assert report_of(store, "r1", NODES, push=False) is None


def test_model_that_is_not_blessed_is_reported(store, record):
    for node in NODES[:2]:
        record(node, Execution.COMPLETE)
    record("CaserPusher", Execution.COMPLETE, pushed=0)
    assert report_of(store, "r1", NODES, push=True).state == "not blessed"


def test_run_that_never_started_is_reported(store):
    assert report_of(store, "r1", NODES, push=True).nodes == NODES


@pytest.fixture
def webhook(monkeypatch):
    """What was received, and the statuses of the next answers."""
    received, statuses = [], []

    def answer(request):
        received.append(request.json)
        return statuses.pop(0) if statuses else 200, ""

    with serving(answer) as url:
        monkeypatch.setenv(WEBHOOK, f"{url}/secret")
        yield received, statuses


def report(service, timeout=5):
    options = {"run-id": "r1", "push": "true", "metadata": service, "metadata-timeout": timeout}
    options["nodes"] = ",".join(NODES)
    return CliRunner().invoke(main, [part for name, value in options.items() for part in (f"--{name}", str(value))])


def test_report_is_posted_as_json_with_a_text(service, record, webhook):
    record("CaserTrainer", Execution.FAILED)
    result = report(service)
    assert result.exit_code == 0, result.output
    (posted,) = webhook[0]
    text = "Run r1 of caser failed: CaserTrainer."
    assert posted == {"run_id": "r1", "state": "failed", "nodes": NODES, "text": text}


def test_report_is_posted_again_after_a_passing_failure(service, webhook):
    webhook[1].append(503)
    assert report(service).exit_code == 0
    assert len(webhook[0]) == 2


def test_refused_report_is_one_message_without_the_url(service, webhook):
    webhook[1].append(404)
    result = report(service)
    assert result.exit_code == 1
    assert result.output.startswith("Error: The webhook refused the report: HTTP 404. Hint: ")
    assert "secret" not in result.output


def test_run_is_reported_as_unknown_without_metadata(webhook):
    assert report("127.0.0.1:1", timeout=1).exit_code == 0
    assert webhook[0][0]["state"] == "unknown"
