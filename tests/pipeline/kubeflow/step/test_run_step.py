"""A step as a task's container runs it: over gRPC to a real ML Metadata, on a folder that stands for the volume."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import ml_metadata as mlmd
import pytest
from click.testing import CliRunner
from ml_metadata.proto import metadata_store_pb2
from tfx.components.schema_gen.import_schema_gen import executor
from tfx.orchestration import metadata

from components.errors import UserError
from pipeline.config.config import load_config
from pipeline.console.root_cause import root_cause
from pipeline.kubeflow.compiler.cluster_settings import ClusterSettings
from pipeline.kubeflow.compiler.spec import compile_pipeline
from pipeline.kubeflow.metadata.service import start
from pipeline.kubeflow.nodes.node_file import FOLDER, reference, write_nodes
from pipeline.kubeflow.nodes.node_ir import decode, only_node, restore
from pipeline.kubeflow.nodes.run_parameters import set_data, set_epochs
from pipeline.kubeflow.step.__main__ import main
from pipeline.kubeflow.step.attempt import NodeExecutions
from pipeline.kubeflow.step.run_step import StepArguments, run_step

pytestmark = pytest.mark.xdist_group("kubeflow")

Execution = metadata_store_pb2.Execution


@pytest.fixture(scope="module")
def nodes():
    spec = compile_pipeline(load_config("sample"), "data/log.csv", "caser:1", ClusterSettings()).pipeline
    containers = [executor["container"] for executor in spec["deploymentSpec"]["executors"].values()]
    texts = [container["args"][container["args"].index("--node") + 1] for container in containers]
    return {only_node(decode(text)).node_info.id: text for text in texts}


class Service:
    """ML Metadata, which can be away for a moment."""

    def __init__(self, database):
        self._database = database
        self._server, port = start(database, "127.0.0.1:0")
        self.address = f"127.0.0.1:{port}"

    def stop(self):
        self._server.stop(0).wait()

    def start(self):
        self._server, _ = start(self._database, self.address)


@pytest.fixture
def running(tmp_path):
    service = Service(str(tmp_path / "metadata.sqlite"))
    yield service
    service.stop()


@pytest.fixture
def service(running):
    return running.address


@pytest.fixture
def store(service):
    host, port = service.split(":")
    return mlmd.MetadataStore(metadata_store_pb2.MetadataStoreClientConfig(host=host, port=int(port)))


@pytest.fixture
def volume(tmp_path):
    folder = tmp_path / "volume"
    folder.mkdir()
    return folder


@pytest.fixture
def request_for(nodes, service, volume, monkeypatch):
    # TFX's executors on Beam read absl's flags off the command line, where pytest has a `-v` of its own.
    monkeypatch.setattr("sys.argv", ["step"])

    def make(node_id, **changes):
        request = StepArguments(nodes[node_id], "run-1", service, 10, str(volume), str(volume / "pipeline"))
        return request._replace(**changes)

    return make


def attempt_of(request):
    host, port = request.metadata.split(":")
    ir = decode(request.node)
    restore(ir, request.volume, request.artifacts, request.run_id)
    connection = metadata.Metadata(metadata_store_pb2.MetadataStoreClientConfig(host=host, port=int(port)))
    return NodeExecutions(connection, ir)


def abandon(store, execution):
    """What a task leaves whose pod was killed at work."""
    execution.last_known_state = Execution.RUNNING
    store.put_executions([execution])


def write_log(file, *more):
    file.parent.mkdir(exist_ok=True)
    rows = [f"u{user},i{item},{item}" for user in range(3) for item in range(10)]
    file.write_text("\n".join(["user_id,item_id,timestamp", *rows, *more, ""]))


def states(store):
    return [execution.last_known_state for execution in store.get_executions()]


def test_unchanged_step_is_cached_in_the_next_run(request_for, volume, store):
    report = volume / "report.md"
    assert run_step(request_for("ImportSchemaGen", report=str(report))) == "done"
    (schema,) = (volume / "pipeline" / "ImportSchemaGen" / "schema").iterdir()
    assert (schema / "schema.pbtxt").is_file()
    assert str(schema) in report.read_text()
    assert run_step(request_for("ImportSchemaGen", run_id="run-2", report=str(report))) == "cached"
    assert "**cached**" in report.read_text()
    assert states(store) == [Execution.COMPLETE, Execution.CACHED]


def test_finished_step_is_not_repeated_by_a_retry(request_for, store):
    for _ in range(2):
        assert run_step(request_for("ImportSchemaGen")) == "done"
    assert states(store) == [Execution.COMPLETE]


def test_killed_step_is_resumed_without_partial_outputs(request_for, volume, store):
    run_step(request_for("ImportSchemaGen"))
    (execution,) = store.get_executions()
    abandon(store, execution)
    leftover = volume / "pipeline" / "ImportSchemaGen" / "schema" / str(execution.id) / "half-written"
    leftover.write_text("x")
    assert run_step(request_for("ImportSchemaGen")) == "done"
    assert states(store) == [Execution.COMPLETE]
    assert not leftover.exists()
    assert (leftover.parent / "schema.pbtxt").is_file()


def test_unresolved_inputs_fail_with_a_reason(request_for, store):
    # TFX's launcher returns as if all were well.
    with pytest.raises(
        UserError, match=r"inputs could not be resolved \(.*examples.*check that InteractionExampleGen succeeded"
    ):
        run_step(request_for("StatisticsGen"))
    assert states(store) == [Execution.FAILED]


def test_killed_resolver_leaves_no_running_execution(request_for, store):
    # A resolver registers a new execution at each attempt; TFX never comes back to the old one.
    request = request_for("LastBlessedModel")
    assert run_step(request) == "done"
    (execution,) = store.get_executions()
    abandon(store, execution)
    assert run_step(request) == "done"
    assert states(store) == [Execution.FAILED, Execution.COMPLETE]
    assert attempt_of(request).is_done()


def test_runs_have_separate_executions(request_for, volume, store):
    attempts = {}
    for run_id in ("run-1", "run-2"):
        run_step(request_for("LastBlessedModel", run_id=run_id))
        (execution,) = attempt_of(request_for("LastBlessedModel", run_id=run_id)).executions()
        attempts[run_id] = execution.id
    assert attempts["run-1"] != attempts["run-2"]


def test_unreachable_metadata_is_one_message(request_for, volume):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(UserError, match=f"No response from ML Metadata at {address} within 1 s"):
        run_step(request_for("ImportSchemaGen", metadata=address, metadata_timeout=1))
    assert not list(volume.iterdir())


def test_missing_volume_is_one_message(request_for, tmp_path):
    with pytest.raises(UserError, match=r"No volume is mounted at .*absent"):
        run_step(request_for("ImportSchemaGen", volume=str(tmp_path / "absent")))


def test_node_in_a_payload_file_runs_like_an_argument(request_for, nodes, volume, store):
    argument = reference(nodes["ImportSchemaGen"])
    with pytest.raises(UserError, match=f"Cannot read .*copy the directory {FOLDER}"):
        run_step(request_for("ImportSchemaGen", node=argument))
    assert not states(store)
    write_nodes([nodes["ImportSchemaGen"]], volume)
    assert run_step(request_for("ImportSchemaGen", node=argument)) == "done"
    assert run_step(request_for("ImportSchemaGen", run_id="run-2")) == "cached"


@pytest.mark.parametrize("run_id", ["", "{{$.pipeline_job_uuid}}"])
def test_unresolved_run_id_is_rejected(request_for, run_id, store):
    # All runs would be one, and the second would find everything done.
    with pytest.raises(UserError, match="run ID placeholder was not resolved"):
        run_step(request_for("ImportSchemaGen", run_id=run_id))
    assert not states(store)


def test_step_with_push_off_pushes_nothing(request_for, volume, store):
    report = volume / "report.md"
    assert run_step(request_for("CaserPusher", push="false", report=str(report))) == "push is off"
    assert "push is off" in report.read_text()
    assert not states(store)
    assert [path.name for path in volume.iterdir()] == ["report.md"]


@pytest.mark.parametrize(
    ("node_id", "changes", "part"),
    [
        ("CaserPusher", {"push": "perhaps"}, "`push` should be true or false"),
        ("CaserTrainer", {"epochs": "-1"}, "`epochs` should be a whole number"),
        ("CaserTrainer", {"epochs": "many"}, "`epochs` should be a whole number"),
        ("InteractionExampleGen", {"data": "data/absent.csv"}, "does not exist"),
        ("InteractionExampleGen", {"data": "span-{SPAN}/*.csv"}, "No file matches"),
    ],
)
def test_invalid_step_parameter_is_rejected_before_registration(request_for, store, node_id, changes, part):
    with pytest.raises(UserError, match=part):
        run_step(request_for(node_id, **changes))
    assert not states(store)


def test_data_parameter_replaces_the_compiled_input(nodes, volume):
    write_log(volume / "data" / "log-1.csv")
    ir = decode(nodes["InteractionExampleGen"])
    restore(ir, str(volume), str(volume / "pipeline"), "r")
    set_data(ir, "data/log-{SPAN}.csv", str(volume))
    parameters = only_node(ir).parameters.parameters
    assert parameters["input_base"].field_value.string_value == str(volume / "data")
    assert "log-{SPAN}.csv" in parameters["input_config"].field_value.string_value
    assert "@" not in parameters["input_base"].field_value.string_value


def test_runs_on_one_volume_have_separate_quarantines(request_for, volume):
    write_log(volume / "good.csv")
    write_log(volume / "bad.csv", "u1,i1,soon")
    mine = volume / "quarantine" / "run-1" / "bad_rows.csv"
    with pytest.raises(Exception, match=f"(?s)1 of 31 rows are malformed.*{mine}") as caught:
        run_step(request_for("InteractionExampleGen", data="bad.csv"))
    assert root_cause(caught.value).is_user_error
    assert run_step(request_for("InteractionExampleGen", data="good.csv", run_id="run-2")) == "done"
    assert [path.name for path in (volume / "quarantine").iterdir()] == ["run-1"]
    assert '"u1,i1,soon"' in mine.read_text()
    assert run_step(request_for("InteractionExampleGen", data="good.csv", run_id="run-3")) == "cached"


def test_epochs_parameter_changes_nothing_else(nodes):
    ir, same = decode(nodes["CaserTrainer"]), decode(nodes["CaserTrainer"])
    set_epochs(same, str(load_config("sample").trainer.epochs))
    assert same == ir  # so that the default finds what `epochs` unset would have cached
    set_epochs(ir, "3")
    custom_config = only_node(ir).parameters.parameters["custom_config"].field_value
    assert '"epochs": 3' in custom_config.string_value
    set_epochs(ir, "0")
    assert '"epochs": null' in custom_config.string_value


def test_failed_step_exits_nonzero_with_a_reason(request_for, tmp_path):
    request = request_for("ImportSchemaGen", volume=str(tmp_path / "absent"))
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.kubeflow.step", *arguments(request)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Error: ImportSchemaGen: No volume is mounted at")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("node_id", "changes", "part"),
    [
        ("CaserPusher", {"push": "true"}, "inputs could not be resolved"),
        (
            "CaserPusher",
            {"push": "true", "metadata": "127.0.0.1:1", "metadata_timeout": 1},
            "No response from ML Metadata",
        ),
        ("CaserPusher", {"push": "true", "volume": "/absent"}, "No volume is mounted at /absent"),
        ("CaserPusher", {"push": "perhaps"}, "`push` should be true or false"),
        ("CaserTrainer", {"epochs": "many"}, "`epochs` should be a whole number"),
        ("InteractionExampleGen", {"data": "data/absent.csv"}, "does not exist"),
    ],
)
def test_mistake_in_a_step_is_one_error_line(request_for, volume, capfd, node_id, changes, part):
    result = CliRunner().invoke(main, arguments(request_for(node_id, **changes)))
    assert result.exit_code == 1
    lines = (result.output + capfd.readouterr().err).strip().splitlines()
    assert lines[-1].startswith(f"Error: {node_id}: ")
    assert part in lines[-1]
    assert not (volume / "serving").exists()


def test_unexpected_failure_ends_with_one_line(request_for, monkeypatch, capfd):
    def broken(*_):
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("pipeline.kubeflow.step.run_step.launch_node", broken)
    result = CliRunner().invoke(main, arguments(request_for("ImportSchemaGen")))
    assert result.exit_code == 1
    assert (result.output + capfd.readouterr().err).strip().splitlines()[-1] == (
        "Error: ImportSchemaGen: RuntimeError: two lines"
    )


def arguments(request):
    options = {name.replace("_", "-"): value for name, value in request._asdict().items() if value is not None}
    return [part for name, value in options.items() for part in (f"--{name}", str(value))]


def test_metadata_that_restarts_in_the_middle_of_a_step_is_outlived(request_for, running, store, monkeypatch):
    # The execution is registered by then; its end is recorded while the service is away.
    import_schema = executor.Executor.Do

    def import_then_stop(self, *arguments):
        import_schema(self, *arguments)
        running.stop()
        threading.Timer(3, running.start).start()

    monkeypatch.setattr(executor.Executor, "Do", import_then_stop)
    assert run_step(request_for("ImportSchemaGen", metadata_timeout=60)) == "done"
    assert states(store) == [Execution.COMPLETE]
    assert len(store.get_artifacts()) == 1
    assert len(store.get_events_by_execution_ids([store.get_executions()[0].id])) == 1


def test_step_writes_for_its_user_and_group_only(request_for, volume):
    # The umask of a pod is 0.
    code = "import os, runpy; os.umask(0); runpy.run_module('pipeline.kubeflow.step', run_name='__main__')"
    command = [sys.executable, "-c", code, *arguments(request_for("ImportSchemaGen"))]
    subprocess.run(command, check=True, capture_output=True)
    written = [*(volume / "pipeline").rglob("*")]
    assert written
    assert not [path for path in written if path.stat().st_mode & 0o002]


def test_metadata_error_keeps_its_code(store):
    with pytest.raises(mlmd.errors.NotFoundError):
        store.get_artifact_type("absent")


def test_metadata_outlives_the_service(tmp_path):
    for expected in ([], ["run"]):
        server, port = start(str(tmp_path / "kept.sqlite"), "127.0.0.1:0")
        client = mlmd.MetadataStore(metadata_store_pb2.MetadataStoreClientConfig(host="127.0.0.1", port=port))
        assert [kind.name for kind in client.get_context_types() if not kind.name.startswith("mlmd")] == expected
        client.put_context_type(metadata_store_pb2.ContextType(name="run"))
        server.stop(0).wait()
    assert Path(tmp_path / "kept.sqlite").is_file()
