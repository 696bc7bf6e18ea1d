"""What a user gives to the Kubeflow commands: settings of a cluster, run parameters, files. Mistakes are one line."""

import pytest

from components.errors import UserError
from pipeline.config.config import Config
from pipeline.kubeflow.compiler.cluster_settings import load_cluster
from pipeline.kubeflow.compiler.parameter_values import param_values
from pipeline.kubeflow.compiler.spec_file import MAX_BYTES, read_spec, write_spec
from pipeline.kubeflow.emulator.placeholders import executor_input, fill, resolve_inputs
from pipeline.kubeflow.nodes.task_names import node_id, task_name
from pipeline.pipeline import create_pipeline

PIPELINE = {
    "root": {
        "inputDefinitions": {
            "parameters": {
                "data": {"parameterType": "STRING"},
                "epochs": {"parameterType": "NUMBER_INTEGER"},
                "push": {"parameterType": "BOOLEAN"},
            }
        }
    }
}


def cluster_of(text, tmp_path):
    file = tmp_path / "cluster.yaml"
    file.write_text(text)
    return load_cluster(file)


def test_node_settings_override_the_defaults(tmp_path):
    cluster = cluster_of("defaults: {memory: 4}\nnodes: {CaserTrainer: {cpu: 8, retries: 0}}\n", tmp_path)
    assert (cluster.pod("Transform").memory, cluster.pod("Transform").retries) == (4, 2)
    assert (cluster.pod("CaserTrainer").cpu, cluster.pod("CaserTrainer").retries) == (8, 0)


@pytest.mark.parametrize("root", ["gs://bucket/caser", "s3://bucket", "/mnt/caser/artifacts"])
def test_artifact_root_is_an_object_store_or_on_the_volume(tmp_path, root):
    assert cluster_of(f"artifact_root: {root}", tmp_path).artifact_root == root


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("volume_clam: x", "Did you mean `volume_claim`"),
        ("defaults: {cpus: 2}", "Did you mean `defaults.cpu`"),
        ("mount_path: /minio/data", "one of Kubeflow's own: "),
        ("mount_path: data", "absolute path"),
        ("metadata_service: caser-metadata", "host:port"),
        ("artifact_root: /tmp/artifacts", "object store or below `mount_path`"),
        ("nodes: {Transform: {memory: 0}}", "`nodes.Transform.memory` should be greater than 0. Received: 0"),
        ("webhook: chat.example.com", "`webhook` should be a URL, or {secret: NAME, key: KEY}"),
        ("env: {TOKEN: {secret: a}}", "`env.TOKEN.key`"),
        ("- a", "valid dictionary"),
        ("a: [", "invalid YAML"),
    ],
)
def test_invalid_cluster_file_is_one_message(tmp_path, text, part):
    with pytest.raises(UserError) as caught:
        cluster_of(text, tmp_path)
    assert part in str(caught.value)
    assert "cluster.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_run_parameters_have_the_declared_types():
    given = ["data=a=b.csv", "epochs=3", "push=False"]
    assert param_values(PIPELINE, given) == {"data": "a=b.csv", "epochs": 3, "push": False}


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ("epoch=3", "Did you mean `epochs`"),
        ("epochs=many", "a whole number"),
        ("push=perhaps", "true or false"),
        ("epochs", "name=value"),
    ],
)
def test_invalid_run_parameter_is_rejected(given, part):
    with pytest.raises(UserError, match=part):
        param_values(PIPELINE, [given])


def test_task_name_of_every_node_is_reversible():
    for component in create_pipeline(Config(), "data.csv", "out").components:
        assert node_id(task_name(component.id)) == component.id


def test_placeholders_are_replaced_as_in_kubeflow(tmp_path):
    task = {
        "inputs": {
            "parameters": {
                "run_id": {"runtimeValue": {"constant": "{{$.pipeline_job_uuid}}"}},
                "inside": {"runtimeValue": {"constant": "run-{{$.pipeline_job_uuid}}"}},
                "epochs": {"componentInputParameter": "epochs"},
                "push": {"componentInputParameter": "push"},
            }
        }
    }
    inputs = resolve_inputs(task, {"epochs": 5, "push": True}, "r1")
    filled = executor_input(inputs, {"report": {"artifactType": {}}}, tmp_path)
    assert fill("{{$.inputs.parameters['run_id']}}", filled) == "r1"
    assert (
        fill("{{$.inputs.parameters['inside']}}", filled) == "run-{{$.pipeline_job_uuid}}"
    )  # not filled in the cluster
    assert fill("{{$.inputs.parameters['epochs']}}/{{$.inputs.parameters['push']}}", filled) == "5/true"
    assert fill("{{$.outputs.artifacts['report'].path}}", filled) == str(tmp_path / "report")
    assert '"runId"' not in fill("{{$}}", filled)
    assert '"outputFile"' in fill("{{$}}", filled)
    assert fill("{{$.unknown}}", filled) == "{{$.unknown}}"


def test_too_large_pipeline_is_not_written(tmp_path):
    with pytest.raises(UserError, match="Hint: "):
        write_spec({"pipelineInfo": {"name": "x" * MAX_BYTES}}, {}, tmp_path / "p.yaml")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("text", "part"), [("a: 1\n", "not a compiled pipeline"), ("a: [", "invalid YAML")])
def test_other_file_is_no_compiled_pipeline(tmp_path, text, part):
    file = tmp_path / "p.yaml"
    file.write_text(text)
    with pytest.raises(UserError, match=part):
        read_spec(file)
