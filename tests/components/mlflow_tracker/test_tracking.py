"""What MLflow knows of a run, by MLflow's own client and store."""

import json
import math

import mlflow
import pytest
from tfx.types import standard_artifacts

from components.baseline_validator.comparison import Comparison, HeldOutItems
from components.baseline_validator.result import BaselineValidation, write_result
from components.errors import UserError
from components.mlflow_tracker.component import MlflowTracker, TrackedRunArtifact
from components.mlflow_tracker.executor import RUN_FILE
from components.mlflow_tracker.settings import MlflowSettings
from components.mlflow_tracker.tracking import TrackedRun, track
from pipeline.config.config import Config, flat


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """MLflow's file store, the only one that needs no server."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return MlflowSettings(tracking_uri=f"file://{tmp_path}/mlruns", experiment="shop")


def recorded(settings, run_id):
    client = mlflow.MlflowClient(settings.tracking_uri)
    return client.get_run(run_id), client


def test_all_settings_metrics_and_epochs_are_recorded(settings):
    history = [{"loss": 3.0, "valid_map": 0.1}, {"loss": 2.0, "valid_map": 0.2}]
    params = {**flat(Config()), "long": "x" * 7000}
    run = TrackedRun("night", params, {"test_map": 0.25, "broken": math.nan}, history, {"version": "17"})
    found, client = recorded(settings, track(run, settings))
    assert found.info.run_name == "night"
    assert found.info.status == "FINISHED"
    assert client.get_experiment(found.info.experiment_id).name == "shop"
    assert found.data.params["trainer.weight_decay"] == "0.2"
    assert found.data.params.keys() == params.keys()
    assert found.data.metrics == {"test_map": 0.25, "loss": 2.0, "valid_map": 0.2}
    assert [(point.step, point.value) for point in client.get_metric_history(found.info.run_id, "loss")] == [
        (1, 3.0),
        (2, 2.0),
    ]
    assert found.data.tags["version"] == "17"


def test_runs_of_one_experiment_are_recorded_together(settings):
    run = TrackedRun("night", {}, {}, [], {})
    first, second = (recorded(settings, track(run, settings))[0].info for _ in range(2))
    assert first.run_id != second.run_id
    assert first.experiment_id == second.experiment_id


def test_server_that_cannot_be_reached_is_one_message(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    settings = MlflowSettings(tracking_uri="http://127.0.0.1:9")
    with pytest.raises(UserError, match=r"MLflow at http://127.0.0.1:9: .*Hint: check `mlflow.tracking_uri`"):
        track(TrackedRun("night", {}, {}, [], {}), settings)


def test_missing_package_is_one_message(settings, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"Hint: pip install 'tfx-caser\[mlflow\]'"):
        track(TrackedRun("night", {}, {}, [], {}), settings)


def test_password_in_the_uri_is_refused():
    with pytest.raises(ValueError, match=r"should not have a password.*MLFLOW_TRACKING_PASSWORD"):
        MlflowSettings(tracking_uri="https://me:secret@mlflow.example.com")


@pytest.mark.parametrize("pushed", [True, False])
def test_node_records_what_other_nodes_found(settings, tmp_path, pushed):
    artifacts = {
        "examples": standard_artifacts.Examples(),
        "model_run": standard_artifacts.ModelRun(),
        "validation": standard_artifacts.ModelEvaluation(),
        "model_blessing": standard_artifacts.ModelBlessing(),
        "baseline_blessing": standard_artifacts.ModelBlessing(),
        "pushed_model": standard_artifacts.PushedModel(),
    }
    for name, artifact in artifacts.items():
        artifact.uri = str(tmp_path / name)
        (tmp_path / name).mkdir()
    artifacts["model_blessing"].set_int_custom_property("blessed", 1)
    artifacts["baseline_blessing"].set_int_custom_property("blessed", int(pushed))
    artifacts["pushed_model"].set_string_custom_property("pushed_version", "17" if pushed else "")
    counts = {"interactions": 90, "users": 9, "items": 8, "files": ["a.csv", "b.csv"]}
    (tmp_path / "examples" / "counts.json").write_text(json.dumps(counts))
    rows = [{"epoch": 1, "seconds": 1.5, "loss": 3.0, "objective": "softmax", "map": 0.1, "notes": []}]
    (tmp_path / "model_run" / "training_history.json").write_text(json.dumps(rows))
    metrics = {"test": {"map": 0.25}, "popularity": {"map": 0.05}}
    comparison = Comparison(True, "map 0.25", "popularity", 9, metrics, {}, {}, HeldOutItems(9, 0, 0))
    write_result(str(tmp_path / "validation"), BaselineValidation(comparison, {}))
    output = TrackedRunArtifact()
    output.uri = str(tmp_path / "out")
    node = MlflowTracker.EXECUTOR_SPEC.executor_class()
    properties = {"config": json.dumps({"seed": 7}), "settings": settings.model_dump_json()}
    node.Do({name: [artifact] for name, artifact in artifacts.items()}, {"tracked_run": [output]}, properties)
    found, _ = recorded(settings, (tmp_path / "out" / RUN_FILE).read_text())
    assert found.data.params == {"seed": "7"}
    assert found.data.metrics == {
        "test_map": 0.25, "popularity_map": 0.05, "interactions": 90, "users": 9, "items": 8,
        "loss": 3.0, "seconds": 1.5, "valid_map": 0.1,
    }  # fmt: skip
    assert found.data.tags["blessed"] == str(pushed).lower()
    assert found.data.tags.get("version") == ("17" if pushed else None)
    assert found.data.tags["files"] == "a.csv b.csv"
