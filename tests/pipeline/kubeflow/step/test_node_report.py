"""Reports of nodes for Kubeflow's UI."""

import json

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2

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
