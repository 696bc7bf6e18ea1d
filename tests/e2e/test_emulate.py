"""The compiled pipeline, task by task as a cluster would start it, beside `caser run` with the same settings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import ml_metadata as mlmd
import pytest
import yaml
from ml_metadata.proto import metadata_store_pb2

from components.pusher.version_dirs import digest
from pipeline.kubeflow.metadata.service import start
from pipeline.kubeflow.nodes.node_file import FOLDER
from pipeline.kubeflow.nodes.task_names import node_id
from tests.support.cli import caser, caser_command
from tests.support.http_server import serving
from tests.support.interaction_log import LATEST_SPAN, SETTINGS, rows, write, write_spans
from tests.support.wording import unusual_phrases

pytestmark = pytest.mark.xdist_group("emulate")

Execution = metadata_store_pb2.Execution

LATEST_DATA = ("--param", "data=data/span-{SPAN}-*")


@pytest.fixture(scope="session")
def compiled(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("compiled") / "pipeline.yaml"
    settings = [part for setting in (*SETTINGS, "data.shards=3") for part in ("--set", setting)]
    done = caser("kubeflow", "compile", *settings, "--image", "caser:1", "--output", file)
    assert done.returncode == 0, done.stdout + done.stderr
    return file


def with_data(folder: Path) -> Path:
    (folder / "volume" / "data").mkdir(parents=True)
    write(folder / "volume" / "data" / "interactions.csv", rows())
    return folder


def write_yaml(file: Path, content: object) -> None:
    file.write_text(yaml.safe_dump(content))


def emulation(compiled: Path, output: Path, *arguments: object) -> list[object]:
    return ["kubeflow", "emulate", "--pipeline", compiled, "--output", output, *arguments]


def versions_of(output: Path) -> list[str]:
    folder = output / "volume" / "serving" / "caser"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def runs_of(output: Path) -> list[Path]:
    return sorted((output / "runs").iterdir(), key=lambda folder: folder.stat().st_mtime)


def states_of(run: Path) -> dict[str, str]:
    """By node, what the task's last line says."""
    lines = (pod.joinpath("log.txt").read_text().splitlines()[-1] for pod in run.iterdir())
    return dict(line.split(": ", 1) for line in lines)


def metrics_of(run: Path) -> dict[str, float]:
    content = json.loads((run / "evaluator" / "outputs" / "output_metadata.json").read_text())
    (artifact,) = content["artifacts"]["metrics"]["artifacts"]
    return artifact["metadata"]


@pytest.fixture(scope="session")
def emulated(compiled, tmp_path_factory) -> Path:
    """The folder of one finished emulation, over the latest of two spans."""
    output = tmp_path_factory.mktemp("emulated")
    (output / "volume" / "data").mkdir(parents=True)
    write_spans(output / "volume" / "data")
    done = caser(*emulation(compiled, output, *LATEST_DATA))
    assert done.returncode == 0, done.stdout + done.stderr
    return output


def test_emulated_run_pushes_the_blessed_model(emulated, compiled):
    (run, *_) = runs_of(emulated)
    tasks = yaml.safe_load_all(compiled.read_text()).__next__()["root"]["dag"]["tasks"]
    assert states_of(run) == dict.fromkeys(map(node_id, tasks), "done")
    (version,) = versions_of(emulated)
    assert version in (run / "caser-pusher" / "outputs" / "report").read_text()


def test_emulated_run_reads_all_files_of_the_latest_span(emulated, first_metrics):
    (counts,) = emulated.glob("volume/pipeline/InteractionExampleGen/examples/*/counts.json")
    actual = json.loads(counts.read_text())
    assert [file.rpartition("/")[2] for file in actual["files"]] == LATEST_SPAN
    assert (actual["rows_read"], actual["users"]) == (len(rows()), first_metrics["counts"]["users"])


def test_emulated_run_has_the_metrics_of_a_local_run(emulated, first_metrics):
    # Equal bits, although the local run reads one plain file in another order, and writes one shard.
    (run, *_) = runs_of(emulated)
    actual = metrics_of(run)
    assert actual.keys() >= {"map", "ndcg_at_10", "recall_at_10"}
    assert actual == {name: first_metrics["test"][name] for name in actual}
    assert "Blessed" in (run / "evaluator" / "outputs" / "report").read_text()


def test_output_of_emulated_tasks_uses_common_terms(emulated):
    files = [*emulated.glob("runs/*/*/outputs/report"), *emulated.glob("runs/*/*/log.txt")]
    assert len(files) > 10
    assert not {file: actual for file in files if (actual := unusual_phrases(file.read_text()))}


def test_emulated_steps_write_for_their_user_and_group_only(emulated):
    written = [
        path for path in (emulated / "volume").rglob("*") if "data" not in path.relative_to(emulated / "volume").parts
    ]
    assert not [path for path in written if path.stat().st_mode & 0o002]


@pytest.mark.long
def test_second_emulated_run_is_cached(emulated, compiled):
    before, models = versions_of(emulated), list((emulated / "volume/pipeline/CaserTrainer/model").iterdir())
    done = caser(*emulation(compiled, emulated, *LATEST_DATA))
    assert done.returncode == 0, done.stdout + done.stderr
    states = states_of(runs_of(emulated)[-1])
    assert {node for node, state in states.items() if state == "done"} <= {"LastBlessedModel"}
    assert versions_of(emulated) == before
    assert list((emulated / "volume/pipeline/CaserTrainer/model").iterdir()) == models
    assert metrics_of(runs_of(emulated)[-1]) == metrics_of(runs_of(emulated)[0])


def test_image_without_the_package_is_one_error_line(compiled, tmp_path):
    output = with_data(tmp_path)
    bare = tmp_path / "image" / "python"
    bare.parent.mkdir()
    bare.symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    done = caser(*emulation(compiled, output, "--python", bare, "--metadata", "127.0.0.1:1"))
    assert done.returncode == 1
    assert "No module named 'pipeline'" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert [path.name for path in (output / "volume").iterdir()] == ["data"]


@pytest.mark.long
def test_large_configuration_reaches_its_task_through_a_payload_file(tmp_path):
    output, file = with_data(tmp_path / "out"), tmp_path / "pipeline.yaml"
    write_yaml(tmp_path / "long.yaml", {"data": {"event_column": "kind", "events": [f"e{n}" for n in range(20_000)]}})
    write_yaml(tmp_path / "cluster.yaml", {"defaults": {"retries": 0}})
    settings = ["--config", tmp_path / "long.yaml", "--cluster", tmp_path / "cluster.yaml"]
    done = caser("kubeflow", "compile", *settings, "--image", "caser:1", "--output", file)
    assert done.returncode == 0, done.stdout + done.stderr
    done = caser(*emulation(file, output))
    assert done.returncode == 1
    assert "column `kind` not found" in done.stdout  # as the settings in the file say
    assert [path.name for path in (output / "volume" / FOLDER).iterdir()] == os.listdir(tmp_path / FOLDER)
    assert not versions_of(output)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--param", "epoch=2"], "Did you mean `epochs`"),
        ([], "stands in for the volume"),
        (["--python", "absent/python"], "does not exist"),
    ],
)
def test_invalid_emulate_arguments_are_one_message(compiled, tmp_path, arguments, part):
    done = caser(*emulation(compiled, tmp_path, *arguments))
    assert done.returncode == 2
    assert part in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.long
def test_changed_run_is_compared_with_the_last_blessed_model(emulated, compiled):
    before = versions_of(emulated)
    done = caser(*emulation(compiled, emulated, *LATEST_DATA, "--param", "epochs=15", "--param", "push=false"))
    assert done.returncode == 0, done.stdout + done.stderr
    run = runs_of(emulated)[-1]
    states = states_of(run)
    assert (states["Transform"], states["CaserTrainer"], states["CaserPusher"]) == ("cached", "done", "push is off")
    assert "| model |" in (run / "last-blessed-model" / "outputs" / "report").read_text()
    assert "over the last blessed model" in (run / "evaluator" / "outputs" / "report").read_text()
    assert versions_of(emulated) == before


def pid_of(pod: Path) -> int:
    """Of the step that works in the folder of a pod."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "cwd") == str(pod / "work"):
                return int(process.name)
        except OSError:
            continue
    raise AssertionError(f"no process works in {pod}")


@pytest.mark.long
def test_killed_trainer_is_retried(compiled, tmp_path):
    output = with_data(tmp_path)
    command = caser_command(*emulation(compiled, output, "--retry-policy", "OnFailure"))
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    deadline = time.monotonic() + 400
    while not list(output.glob("runs/*/caser-trainer/work")):
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.5)
    (run,) = runs_of(output)
    log = run / "caser-trainer" / "log.txt"
    while not log.exists() or "epoch 1 of" not in log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.2)
    os.kill(pid_of(run / "caser-trainer"), signal.SIGKILL)
    text, _ = running.communicate(timeout=400)
    assert running.returncode == 0, text
    assert "attempt 1 failed: exit status -9; retrying" in text
    assert len(versions_of(output)) == 1
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(output / "metadata.sqlite")
    executions = mlmd.MetadataStore(config).get_executions()
    assert len(executions) == len(list(run.iterdir()))
    assert {execution.last_known_state for execution in executions} == {Execution.COMPLETE}


@pytest.mark.long
def test_concurrent_runs_on_one_volume_keep_their_artifacts_apart(compiled, tmp_path):
    output = with_data(tmp_path)
    server, port = start(str(tmp_path / "shared.sqlite"), "127.0.0.1:0")
    try:
        running = [
            subprocess.Popen(
                caser_command(
                    *emulation(compiled, output, "--metadata", f"127.0.0.1:{port}", "--param", f"epochs={epochs}")
                ),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for epochs in (15, 20)
        ]
        text = [process.communicate(timeout=900)[0] for process in running]
        assert [process.returncode for process in running] == [0, 0], text
        client = mlmd.MetadataStore(metadata_store_pb2.MetadataStoreClientConfig(host="127.0.0.1", port=port))
        models = client.get_artifacts_by_type("Model")
        pushed = client.get_artifacts_by_type("PushedModel")
    finally:
        server.stop(0)
    assert len({model.uri for model in models}) == len(models) == 2
    digests = {digest(str(Path(model.uri) / "Format-Serving" / "variables")) for model in models}
    assert len(digests) == 2
    destinations = {artifact.custom_properties["pushed_destination"].string_value for artifact in pushed}
    assert sorted(Path(place).name for place in destinations if place) == versions_of(output)
    assert {digest(str(Path(place) / "variables")) for place in destinations if place} <= digests


@pytest.mark.long
def test_run_outlives_a_deleted_pod_and_an_outage_of_metadata(compiled, tmp_path):
    output = with_data(tmp_path)
    faults = ["--fault", "delete:Transform@8", "--fault", "metadata-outage:CaserTrainer@12"]
    done = caser(*emulation(compiled, output, *faults))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Transform: attempt 1 failed: the pod was deleted; retrying" in done.stdout
    (run,) = runs_of(output)
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(output / "metadata.sqlite")
    store = mlmd.MetadataStore(config)
    executions = [execution for execution in store.get_executions() if execution.last_known_state != Execution.FAILED]
    assert len(executions) == len(list(run.iterdir()))
    assert {execution.last_known_state for execution in executions} == {Execution.COMPLETE}
    models = store.get_artifacts_by_type("Model")
    assert len(models) == 1


@pytest.mark.long
def test_evicted_pod_ends_the_run_by_the_default_policy(compiled, tmp_path):
    output = with_data(tmp_path)
    done = caser(*emulation(compiled, output, "--fault", "evict:InteractionExampleGen@1"))
    assert done.returncode == 1
    assert "InteractionExampleGen: the pod was evicted; not retried by the policy OnError" in done.stdout


@pytest.mark.long
@pytest.mark.parametrize(
    ("settings", "arguments", "state"),
    [
        ([], ["--param", "data=data/absent.csv"], "failed"),
        (["--set", "evaluator.min_value=0.99"], [], "not blessed"),
    ],
)
def test_run_that_publishes_nothing_is_reported_to_the_webhook(tmp_path, settings, arguments, state):
    received = []

    def answer(request):
        received.append(request.json)
        return 200, ""

    output, file = with_data(tmp_path / "out"), tmp_path / "pipeline.yaml"
    own = [part for setting in SETTINGS for part in ("--set", setting)]
    compiling = ["kubeflow", "compile", *own, *settings, "--cluster", tmp_path / "cluster.yaml"]
    with serving(answer) as url:
        write_yaml(tmp_path / "cluster.yaml", {"webhook": url})
        done = caser(*compiling, "--image", "caser:1", "--output", file)
        assert done.returncode == 0, done.stdout + done.stderr
        caser(*emulation(file, output, *arguments))
    (report,) = received
    assert report["state"] == state
    assert not versions_of(output)
