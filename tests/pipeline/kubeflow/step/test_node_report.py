"""Reports of nodes for Kubeflow's UI."""

import json

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2

from components.drift_validator.drift import Measurement
from components.drift_validator.result import DriftValidation
from components.refit_validator.checks import RefitValidation
from pipeline.kubeflow.emulator.placeholders import executor_input
from pipeline.kubeflow.nodes.task_names import METRICS
from pipeline.kubeflow.step.node_report import NodeReport, write_report

REPORT = NodeReport("Evaluator", "done", "", [("model", 9, "/m/9")], [("evaluation", 11, "/e/11")], {"map": 0.25})


def executor_input_for(folder):
    """ExecutorInput of the task, as Kubeflow passes it."""
    artifact = {"artifactType": {"schemaTitle": "system.Metrics", "schemaVersion": "0.0.1"}}
    return json.dumps(executor_input({}, {METRICS: artifact}, folder))


def test_node_page_lists_every_artifact():
    page = REPORT.markdown()
    assert page.startswith("# Evaluator\n\n**done**\n")
    assert "## Inputs\n\n| key | artifact | URI |\n| --- | --- | --- |\n| model | 9 | /m/9 |" in page
    assert "| evaluation | 11 | /e/11 |" in page


@pytest.mark.parametrize("kind", ["OUTPUT", "INTERNAL_OUTPUT"])
def test_node_page_lists_outputs_of_resolvers(kind):
    store = mlmd.MetadataStore(metadata_store_pb2.ConnectionConfig(fake_database={}))
    model = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="Model"))
    resolver = store.put_execution_type(metadata_store_pb2.ExecutionType(name="Resolver"))
    event = metadata_store_pb2.Event(type=kind, path={"steps": [{"key": "model"}, {"index": 0}]})
    artifact = metadata_store_pb2.Artifact(type_id=model, uri="/m/1")
    execution_id, _, _ = store.put_execution(metadata_store_pb2.Execution(type_id=resolver), [(artifact, event)], [])
    (execution,) = store.get_executions_by_id([execution_id])
    page = NodeReport.of("LastBlessedModel", "done", store, execution, None).markdown()
    assert "## Outputs\n\n| key | artifact | URI |\n| --- | --- | --- |\n| model | 1 | /m/1 |" in page


def test_node_page_without_artifacts_has_no_tables():
    assert "|" not in NodeReport("CaserPusher", "push is off").markdown()


def test_metrics_are_written_to_kubeflows_output_file(tmp_path):
    write_report(REPORT, str(tmp_path / "deep" / "report"), executor_input_for(tmp_path / "outputs"))
    assert (tmp_path / "deep" / "report").read_text() == REPORT.markdown()
    output = json.loads((tmp_path / "outputs" / "output_metadata.json").read_text())
    (artifact,) = output["artifacts"][METRICS]["artifacts"]
    assert artifact["metadata"] == {"map": 0.25}
    assert artifact["uri"] == str(tmp_path / "outputs" / METRICS)
    assert artifact["type"]["schemaTitle"] == "system.Metrics"


def test_node_without_metrics_writes_no_output_file(tmp_path):
    write_report(REPORT._replace(metrics={}), None, executor_input_for(tmp_path / "outputs"))
    assert not list(tmp_path.iterdir())


def page_of(node_id, key, uri):
    """The page of a node with one output."""
    store = mlmd.MetadataStore(metadata_store_pb2.ConnectionConfig(fake_database={}))
    artifact_type = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="Some"))
    execution_type = store.put_execution_type(metadata_store_pb2.ExecutionType(name=node_id))
    event = metadata_store_pb2.Event(type="OUTPUT", path={"steps": [{"key": key}, {"index": 0}]})
    artifact = metadata_store_pb2.Artifact(type_id=artifact_type, uri=str(uri))
    execution_id, _, _ = store.put_execution(
        metadata_store_pb2.Execution(type_id=execution_type), [(artifact, event)], []
    )
    (execution,) = store.get_executions_by_id([execution_id])
    return NodeReport.of(node_id, "done", store, execution, None).markdown()


def test_page_of_drift_checks_shows_every_measure(tmp_path):
    measurements = {"size": Measurement(0.1, 0.5, 2, "{}_size"), "unknown users": Measurement(0.2, 0, 0.5, "x")}
    DriftValidation(measurements).write(str(tmp_path))
    page = page_of("DriftValidator", "validation", tmp_path)
    assert "**Not blessed**: size 0.100, below drift.min_size=0.5" in page
    assert "| unknown users | 0.200 |" in page


def test_page_of_a_refit_shows_its_checks(tmp_path):
    RefitValidation(True, "fine", 10, 0.75).write(str(tmp_path))
    page = page_of("RefitValidator", "validation", tmp_path)
    assert "**Blessed**: fine" in page
    assert "| overlap | 0.7500 |" in page


def test_page_of_a_refit_that_was_not_trained_says_so(tmp_path):
    assert "Not trained: the evaluated model is not blessed." in page_of("RefitTrainer", "model_run", tmp_path)


def test_page_of_a_search_lists_trials_best_first(tmp_path):
    rows = [{"trial_id": "1", "score": 0.3, "model.d": 50}, {"trial_id": "0", "score": 0.25, "model.d": 100}]
    (tmp_path / "tuner_results.json").write_text(json.dumps(rows))
    page = page_of("CaserTuner", "tuner_results", tmp_path)
    assert "0.3000 on valid in trial 2, the best of 2; 0.2500 with the settings before." in page
    assert "| 2 | 0.3000 | 50 |\n| 1 | 0.2500 | 100 |\n" in page
