"""ML Metadata is away for a moment: calls are repeated, and nothing is written twice."""

from __future__ import annotations

import threading
import time

import grpc
import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2

from components.errors import UserError
from pipeline.kubeflow.metadata import service
from pipeline.kubeflow.metadata.retrying_store import RetryingMetadata, RetryingStore

Artifact, Context, Event, Execution = (
    metadata_store_pb2.Artifact,
    metadata_store_pb2.Context,
    metadata_store_pb2.Event,
    metadata_store_pb2.Execution,
)


@pytest.fixture
def lossy(tmp_path, monkeypatch):
    """A service; `lost` is the number of answers that get lost after their requests were executed."""
    call = service._Store.call

    def losing(self, method, request):
        answer = call(self, method, request)
        if method.startswith("Put") and state["lost"]:
            state["lost"] -= 1
            raise service.DatabaseUnavailableError("lost")
        return answer

    state = {"lost": 0}
    monkeypatch.setattr("pipeline.kubeflow.metadata.service._Store.call", losing)
    server, port = service.start(str(tmp_path / "metadata.sqlite"), "127.0.0.1:0")
    state["config"] = metadata_store_pb2.MetadataStoreClientConfig(host="127.0.0.1", port=port)
    yield state
    server.stop(0)


@pytest.fixture
def store(lossy, monkeypatch):
    monkeypatch.setattr("pipeline.kubeflow.metadata.retrying_store._PAUSE_SECONDS", 0.05)
    return RetryingStore(lossy["config"], timeout=20)


@pytest.fixture
def kinds(store):
    return (
        store.put_execution_type(metadata_store_pb2.ExecutionType(name="node")),
        store.put_artifact_type(metadata_store_pb2.ArtifactType(name="model")),
        store.put_context_type(metadata_store_pb2.ContextType(name="run")),
    )


def counts(store):
    return len(store.get_executions()), len(store.get_artifacts()), len(store.get_contexts())


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_execution_with_its_artifacts_is_written_once(store, lossy, kinds, lost):
    node, model, run = kinds
    lossy["lost"] = lost
    pairs = [
        (Artifact(type_id=model, uri=f"/a/{number}"), Event(type=Event.OUTPUT, path=Event.Path())) for number in (1, 2)
    ]
    contexts = [Context(type_id=run, name="r1")]
    execution, artifacts, found = store.put_execution(
        Execution(type_id=node), pairs, contexts, reuse_context_if_already_exist=True
    )
    assert counts(store) == (1, 2, 1)
    assert [store.get_executions()[0].id, store.get_contexts()[0].id] == [execution, *found]
    assert {artifact.id: artifact.uri for artifact in store.get_artifacts()} == dict(
        zip(artifacts, ["/a/1", "/a/2"], strict=True)
    )
    assert len(store.get_events_by_execution_ids([execution])) == 2


def test_finished_execution_and_its_new_artifacts_are_written_once(store, lossy, kinds):
    node, model, run = kinds
    (existing,) = store.put_executions([Execution(type_id=node, last_known_state=Execution.RUNNING)])
    (context,) = store.put_contexts([Context(type_id=run, name="r1")])
    (read,) = store.put_artifacts([Artifact(type_id=model, uri="/input")])
    lossy["lost"] = 1
    update = Execution(id=existing, type_id=node, last_known_state=Execution.COMPLETE)
    pairs = [
        (Artifact(type_id=model, uri="/a"), Event(type=Event.OUTPUT)),
        (Artifact(id=read, type_id=model, uri="/input"), Event(type=Event.INPUT)),
    ]
    execution, artifacts, contexts = store.put_execution(update, pairs, [Context(id=context, type_id=run, name="r1")])
    assert (execution, artifacts[1], contexts) == (existing, read, [context])
    assert counts(store) == (1, 2, 1)
    assert store.get_executions()[0].last_known_state == Execution.COMPLETE
    assert len(store.get_events_by_execution_ids([execution])) == 2


def test_updated_execution_without_new_artifacts_can_be_sent_twice(store, lossy, kinds):
    node, model, run = kinds
    (existing,) = store.put_executions([Execution(type_id=node)])
    (read,) = store.put_artifacts([Artifact(type_id=model, uri="/input")])
    (context,) = store.put_contexts([Context(type_id=run, name="r1")])
    lossy["lost"] = 1
    pair = (Artifact(id=read, type_id=model, uri="/input"), Event(type=Event.INPUT))
    store.put_execution(Execution(id=existing, type_id=node), [pair], [Context(id=context, type_id=run, name="r1")])
    assert counts(store) == (1, 1, 1)
    assert len(store.get_events_by_execution_ids([existing])) == 1


def test_artifacts_executions_and_contexts_are_written_once(store, lossy, kinds):
    node, model, run = kinds
    lossy["lost"] = 1
    ids = store.put_artifacts([Artifact(type_id=model, uri="/a"), Artifact(type_id=model, uri="/b")])
    assert {artifact.id: artifact.uri for artifact in store.get_artifacts()} == dict(
        zip(ids, ["/a", "/b"], strict=True)
    )
    lossy["lost"] = 1
    assert store.put_executions([Execution(type_id=node, name="mine")]) == [store.get_executions()[0].id]
    lossy["lost"] = 1
    assert store.put_contexts([Context(type_id=run, name="r1")]) == [store.get_contexts()[0].id]
    assert counts(store) == (1, 2, 1)


def test_context_of_somebody_else_is_an_error(store, kinds):
    store.put_contexts([Context(type_id=kinds[2], name="r1")])
    with pytest.raises(mlmd.errors.AlreadyExistsError):
        store.put_contexts([Context(type_id=kinds[2], name="r1")])


def test_types_can_be_registered_twice(store, lossy, kinds):
    lossy["lost"] = 1
    assert store.put_execution_type(metadata_store_pb2.ExecutionType(name="node")) == kinds[0]


def test_other_errors_are_not_repeated(store):
    started = time.monotonic()
    with pytest.raises(mlmd.errors.NotFoundError):
        store.get_artifact_type("absent")
    assert time.monotonic() - started < 5


def test_outage_that_lasts_too_long_is_an_error(store, lossy):
    lossy["lost"] = 10**6
    patient = RetryingStore(lossy["config"], timeout=1)
    with pytest.raises(UserError, match=r"not available for 1 s .*Hint: "):
        patient.put_execution_type(metadata_store_pb2.ExecutionType(name="other"))


def test_service_may_be_away_while_it_is_called(tmp_path):
    database = str(tmp_path / "metadata.sqlite")
    server, port = service.start(database, "127.0.0.1:0")
    config = metadata_store_pb2.MetadataStoreClientConfig(host="127.0.0.1", port=port)
    restarted = []

    def restart():
        time.sleep(2)
        restarted.append(service.start(database, f"127.0.0.1:{port}")[0])

    with RetryingMetadata(config, timeout=30) as handle:
        handle.store.put_context_type(metadata_store_pb2.ContextType(name="before"))
        server.stop(0).wait()
        waiting = threading.Thread(target=restart)
        waiting.start()
        handle.store.put_context_type(metadata_store_pb2.ContextType(name="after"))
        names = {kind.name for kind in handle.store.get_context_types()}
    waiting.join()
    restarted[0].stop(0)
    assert {"before", "after"} <= names


def test_unknown_metadata_method_is_unimplemented(lossy):
    with grpc.insecure_channel(f"127.0.0.1:{lossy['config'].port}") as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/ml_metadata.MetadataStoreService/DropEverything")(b"")
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
