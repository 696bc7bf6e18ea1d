"""The compiled pipeline: as reviewed, as the protobuf schemas and the SDK want it, and by the rules of the backend.

Each rule names its source: a file of kubeflow/pipelines below `backend/src`, unless it says otherwise, and the function
in it, as looked up there; a later version may have moved it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from components.errors import UserError
from pipeline.config.config import load_config
from pipeline.kubeflow.compiler.cluster_settings import ClusterSettings, PodSettings, SecretKey, Toleration
from pipeline.kubeflow.compiler.exit_task import WEBHOOK
from pipeline.kubeflow.compiler.spec import compile_pipeline
from pipeline.kubeflow.compiler.spec_file import MAX_BYTES, read_spec, tasks_of, write_spec
from pipeline.kubeflow.compiler.split_nodes import node_irs
from pipeline.kubeflow.nodes.node_ir import decode, encode, only_node
from pipeline.kubeflow.nodes.task_names import EXIT_TASK, NODES_TASK, task_name
from pipeline.pipeline import create_pipeline
from pipeline.tensorflow_environment import TENSORFLOW_ENVIRONMENT

pytestmark = pytest.mark.xdist_group("kubeflow")

IMAGE = "registry.example.com/caser:1"
GOLDEN = Path(__file__).with_name("golden") / "kubeflow-sample.yaml"
CLUSTER = ClusterSettings(
    nodes={
        "CaserTrainer": PodSettings(
            cpu=4,
            memory=8,
            accelerator="nvidia.com/gpu",
            node_selector={"pool": "gpu"},
            tolerations=[Toleration(key="gpu", effect="NoSchedule")],
            retries=0,
        )
    }
)
CONFIGS = {
    "sample": load_config("sample"),
    "ml-1m-caser": load_config("ml-1m-caser"),
    "every node": load_config(
        overrides=[
            *(f"{section}.enabled=true" for section in ("tuner", "drift", "refit", "batch")),
            "trainer.warm_start=true",
            "data.items=/data/items.csv",
            "recommend.blocklist=/data/blocked.txt",
            "mlflow.tracking_uri=http://mlflow:5000",
        ]
    ),
}


@pytest.fixture(scope="module", params=CONFIGS)
def config(request):
    return CONFIGS[request.param]


@pytest.fixture(scope="module")
def file(config, tmp_path_factory):
    compiled = compile_pipeline(config, "data/interactions.csv", IMAGE, CLUSTER)
    path = tmp_path_factory.mktemp("compiled") / "pipeline.yaml"
    write_spec(compiled.pipeline, compiled.platform, path)
    return path


@pytest.fixture(scope="module")
def documents(file):
    return list(yaml.safe_load_all(file.read_text()))


@pytest.fixture(scope="module")
def pipeline(documents):
    return documents[0]


@pytest.fixture(scope="module")
def containers(pipeline):
    executors = pipeline["deploymentSpec"]["executors"]
    return {label: executor["container"] for label, executor in executors.items()}


def options(container):
    arguments = container["args"]
    return dict(zip(arguments[::2], arguments[1::2], strict=True))


def test_compiled_sample_equals_the_golden_file():
    compiled = compile_pipeline(load_config("sample"), "data/interactions.csv", IMAGE, CLUSTER)
    for executor in compiled.pipeline["deploymentSpec"]["executors"].values():
        arguments = executor["container"]["args"]
        place = arguments.index("--node") + 1
        # The IR is TFX's, and differs between its two lines.
        arguments[place] = f"<IR of {only_node(decode(arguments[place])).node_info.id}>"
    text = yaml.safe_dump_all([compiled.pipeline, compiled.platform], sort_keys=True, width=120)
    assert text == GOLDEN.read_text()


def test_compilation_is_deterministic(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        compiled = compile_pipeline(load_config("sample"), "data.csv", IMAGE, CLUSTER)
        write_spec(compiled.pipeline, compiled.platform, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_compiled_fields_are_known_to_the_protobuf_schemas(config, documents):
    from google.protobuf import json_format
    from kfp.kubernetes import kubernetes_executor_config_pb2
    from kfp.pipeline_spec import pipeline_spec_pb2

    spec = json_format.ParseDict(documents[0], pipeline_spec_pb2.PipelineSpec())
    # `deployment_spec` is a Struct in the schema, which would take anything: its own message would not.
    json_format.ParseDict(documents[0]["deploymentSpec"], pipeline_spec_pb2.PipelineDeploymentConfig())
    json_format.ParseDict(documents[1], pipeline_spec_pb2.PlatformSpec())
    assert len(spec.root.dag.tasks) == len(create_pipeline(config, "data.csv", "out").components)
    known = kubernetes_executor_config_pb2.KubernetesExecutorConfig
    # kfp-kubernetes 1.0 does not know all of them yet; backends from 2.1 on do.
    names = {field.json_name for field in known.DESCRIPTOR.fields}
    for config in documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values():
        json_format.ParseDict({name: value for name, value in config.items() if name in names}, known())


def test_sdk_loads_the_compiled_file(file):
    from kfp import components

    loaded = components.load_component_from_file(str(file))
    assert loaded.pipeline_spec.pipeline_info.name == "caser"
    inputs = loaded.component_spec.inputs
    assert {name: spec.default for name, spec in inputs.items()} == {
        "data": "data/interactions.csv",
        "epochs": inputs["epochs"].default,
        "push": True,
    }
    assert isinstance(inputs["epochs"].default, int | float)


def test_task_dependencies_follow_the_dag(config, pipeline):
    tasks = pipeline["root"]["dag"]["tasks"]
    assert tasks["transform"]["dependentTasks"] == ["history-validator", "import-schema-gen", "interaction-example-gen"]
    nodes = create_pipeline(config, "data.csv", "out").components
    actual = {name: set(task.get("dependentTasks", [])) for name, task in tasks.items()}
    assert actual == {task_name(node.id): {task_name(other.id) for other in node.upstream_nodes} for node in nodes}


def test_schema_version_is_accepted_by_the_backend(pipeline):
    # apiserver/template/v2_template.go, NewV2SpecTemplate: this schema alone; of names it takes dots too.
    assert pipeline["schemaVersion"] == "2.1.0"
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", pipeline["pipelineInfo"]["name"])


def test_every_task_has_a_container_executor(pipeline):
    # v2/compiler/visitor.go, Accept: "root" is reserved; dfs: containers and importers alone, no reference to nothing.
    executors = pipeline["deploymentSpec"]["executors"]
    assert all(executor.keys() == {"container"} for executor in executors.values())
    assert "root" not in pipeline["components"]
    for task in pipeline["root"]["dag"]["tasks"].values():
        assert pipeline["components"][task["componentRef"]["name"]]["executorLabel"] in executors


def test_task_names_are_valid_for_argo(pipeline):
    # argo-workflows, workflow/validate/validate.go, isValidWorkflowFieldName: letters, digits and dashes, 128 at most;
    # v2/compiler/argocompiler/dag.go, task, adds `-driver`. RFC 1123 labels of 40 also fit where Kubernetes has names.
    for name, task in pipeline["root"]["dag"]["tasks"].items():
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?", name)
        assert task["taskInfo"]["name"] == name


def test_dependencies_are_acyclic(pipeline):
    # v2/compiler/argocompiler/dag.go, depends: they become Argo's; argo-workflows, workflow/validate/validate.go,
    # validateDAG and verifyNoCycles: unknown ones and circles are refused.
    tasks = {name: set(task.get("dependentTasks", [])) for name, task in pipeline["root"]["dag"]["tasks"].items()}
    done: set[str] = set()
    while ready := {name for name, needed in tasks.items() if needed <= done} - done:
        done |= ready
    assert done == tasks.keys()


def test_arguments_use_known_placeholders_only(pipeline, containers):
    # v2/component/launcher_v2.go, getPlaceholders. What it does not know would reach the step as it stands.
    for label, container in containers.items():
        component = pipeline["components"][label.replace("exec-", "comp-", 1)]
        inputs = component["inputDefinitions"]["parameters"]
        outputs = component["outputDefinitions"]["artifacts"]
        known = {"{{$}}", *(f"{{{{$.inputs.parameters['{name}']}}}}" for name in inputs)}
        known |= {f"{{{{$.outputs.artifacts['{name}'].path}}}}" for name in outputs}
        for argument in container["args"]:
            assert "{{" not in argument or argument in known


def test_run_id_placeholder_is_the_whole_value(pipeline):
    # v2/driver/resolve.go, resolveInputParameter: compared with the whole constant of a task's parameter.
    for task in pipeline["root"]["dag"]["tasks"].values():
        assert task["inputs"]["parameters"]["run_id"] == {"runtimeValue": {"constant": "{{$.pipeline_job_uuid}}"}}
    text = json.dumps(pipeline["deploymentSpec"])
    assert "pipeline_job_uuid" not in text


def test_every_parameter_has_a_typed_source(pipeline):
    # apiserver/template/v2_template.go, validatePipelineJobInputs: optional or with a default, or the run is refused;
    # v2/driver/resolve.go, resolveInputs: the types of the run and of the task must agree.
    declared = pipeline["root"]["inputDefinitions"]["parameters"]
    assert all("defaultValue" in parameter and parameter["description"] for parameter in declared.values())
    for task in pipeline["root"]["dag"]["tasks"].values():
        wanted = pipeline["components"][task["componentRef"]["name"]]["inputDefinitions"]["parameters"]
        given = task["inputs"]["parameters"]
        assert wanted.keys() == given.keys()
        for name, source in given.items():
            if "componentInputParameter" in source:
                assert wanted[name]["parameterType"] == declared[source["componentInputParameter"]]["parameterType"]


def test_artifact_types_are_shown_by_the_ui(pipeline):
    # frontend/src/components/viewers/MetricsVisualizations.tsx (not below backend/src): these are shown, if they have a
    # display name, which v2/metadata/client.go, RecordArtifact, gives them.
    from kfp import dsl

    output = {kind.schema_title: kind.schema_version for kind in (dsl.Markdown, dsl.Metrics)}
    for component in pipeline["components"].values():
        for artifact in component["outputDefinitions"]["artifacts"].values():
            assert artifact["artifactType"]["schemaVersion"] == output[artifact["artifactType"]["schemaTitle"]]


def test_tasks_are_retried_without_kubeflows_cache(pipeline):
    # v2/driver/container.go, Container: cached only where the task enables it; v2/compiler/argocompiler/container.go,
    # getTaskRetryParametersWithValues: the policy becomes the retry strategy of Argo.
    tasks = pipeline["root"]["dag"]["tasks"]
    assert all(task["cachingOptions"] == {} for task in tasks.values())
    assert tasks["transform"]["retryPolicy"]["maxRetryCount"] == 2
    assert "retryPolicy" not in tasks["caser-trainer"]  # as its settings say


def test_retry_window_is_longer_than_any_training(pipeline):
    # argo-workflows, workflow/controller/operator.go, processNodeRetries: `maxDuration` counts from the start of the
    # first attempt. v2/compiler/argocompiler/container.go, getTaskRetryParametersWithValues: left out, it becomes "0".
    for task in pipeline["root"]["dag"]["tasks"].values():
        if "retryPolicy" in task:
            assert task["retryPolicy"]["backoffMaxDuration"] == "604800s"


def test_pods_have_their_resources_with_the_volume(documents, containers):
    # v2/driver/driver.go, initPodSpecPatch: limits in cores and GB, accelerators by resource name; v2/driver/k8s.go,
    # extendPodSpecPatch: claims, node selectors, tolerations.
    resources = containers["exec-caser-trainer"]["resources"]
    assert (resources["cpuLimit"], resources["memoryLimit"]) == (4, 8)
    assert resources["accelerator"] == {"type": "nvidia.com/gpu", "count": "1"}
    assert "resources" not in containers["exec-transform"]
    pods = documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert pods.keys() == containers.keys()
    for pod in pods.values():
        assert pod["pvcMount"] == [{"constant": "caser-data", "mountPath": "/mnt/caser"}]
    assert pods["exec-caser-trainer"]["nodeSelector"] == {"labels": {"pool": "gpu"}}
    assert pods["exec-caser-trainer"]["tolerations"] == [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}]


def test_containers_have_the_tensorflow_environment_of_local_runs(containers):
    # Other kernels would change the last digits of the metrics.
    for container in containers.values():
        assert {variable["name"]: variable["value"] for variable in container["env"]} == TENSORFLOW_ENVIRONMENT


def test_pipeline_sets_no_default_root(pipeline):
    # v2/objectstore/config.go, ParseBucketPathToConfig: gs, s3 and minio alone; TFX's artifacts do not go there.
    assert "defaultPipelineRoot" not in pipeline


def test_arguments_stay_below_the_limit_of_linux(containers):
    # MAX_ARG_STRLEN of Linux is 128 KiB.
    assert all(len(argument) < 32_768 for container in containers.values() for argument in container["args"])


def test_compiled_file_is_far_below_the_limit(config, file):
    assert file.stat().st_size < (MAX_BYTES / 3 if config is CONFIGS["every node"] else MAX_BYTES / 4)


def test_compiled_nodes_contain_no_local_paths(containers):
    for container in containers.values():
        ir = str(decode(options(container)["--node"]))
        assert str(Path.cwd()) not in ir
        assert "site-packages" not in ir
        assert "metadata.sqlite" not in ir


def test_node_ir_is_reversible():
    irs = node_irs(create_pipeline(load_config("sample"), "data.csv", "out", shared=True))
    assert list(irs) == [only_node(ir).node_info.id for ir in irs.values()]
    for ir in irs.values():
        assert decode(encode(ir)) == ir


@pytest.mark.parametrize("text", ["", "no base64!", "aGVsbG8="])
def test_malformed_node_is_a_user_error(text):
    with pytest.raises(UserError, match="recompile the pipeline"):
        decode(text)


def test_unknown_node_in_cluster_settings_has_a_suggestion():
    with pytest.raises(UserError, match="Did you mean `CaserTrainer`"):
        compile_pipeline(load_config(), "d", IMAGE, ClusterSettings(nodes={"Trainer": PodSettings()}))


def test_written_spec_is_read_back(file, documents):
    spec = read_spec(file)
    assert spec.pipeline == documents[0]
    assert spec.executors == documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]


SECRETS = ClusterSettings(
    image_pull_secrets=["registry"],
    env={"TOKEN": SecretKey(secret="bucket", key="token")},
    webhook=SecretKey(secret="chat", key="url"),
    defaults=PodSettings(annotations={"team": "music"}),
)


@pytest.fixture(scope="module")
def reporting():
    return compile_pipeline(load_config("sample"), "data/interactions.csv", IMAGE, SECRETS)


def test_pods_have_secrets_and_annotations(reporting):
    # v2/driver/k8s.go, extendPodSpecPatch: GetImagePullSecret, GetSecretAsEnv, GetPodMetadata.
    pods = reporting.platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    for pod in pods.values():
        assert pod["imagePullSecret"] == [{"secretName": "registry"}]
        assert pod["podMetadata"] == {"annotations": {"team": "music"}}
        assert {"secretName": "bucket", "keyToEnv": [{"secretKey": "token", "envVar": "TOKEN"}]} in pod["secretAsEnv"]
    webhook = {"secretName": "chat", "keyToEnv": [{"secretKey": "url", "envVar": WEBHOOK}]}
    assert [name for name, pod in pods.items() if webhook in pod["secretAsEnv"]] == [f"exec-{EXIT_TASK}"]


def test_exit_task_follows_the_nodes_whatever_their_end(reporting):
    # v2/compiler/argocompiler/dag.go, DAG: a task with this strategy becomes the exit hook of what it depends on, which
    # is a sub-DAG; a DAG needs at least one other task.
    tasks = reporting.pipeline["root"]["dag"]["tasks"]
    assert tasks.keys() == {NODES_TASK, EXIT_TASK}
    assert tasks[EXIT_TASK]["triggerPolicy"] == {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}
    assert tasks[EXIT_TASK]["dependentTasks"] == [NODES_TASK]
    nodes, exit_task = tasks_of(reporting.pipeline)
    plain = compile_pipeline(load_config("sample"), "data/interactions.csv", IMAGE, ClusterSettings())
    assert nodes == plain.pipeline["root"]["dag"]["tasks"]
    assert exit_task == tasks[EXIT_TASK]


def test_sub_dag_passes_every_parameter_on(reporting):
    # v2/driver/resolve.go, resolveInputs: a task reads the inputs of its parent DAG alone.
    declared = reporting.pipeline["root"]["inputDefinitions"]["parameters"]
    component = reporting.pipeline["components"][f"comp-{NODES_TASK}"]
    given = reporting.pipeline["root"]["dag"]["tasks"][NODES_TASK]["inputs"]["parameters"]
    assert component["inputDefinitions"]["parameters"].keys() == given.keys() == declared.keys()
    for name, parameter in component["inputDefinitions"]["parameters"].items():
        assert parameter == {"parameterType": declared[name]["parameterType"]}


def test_pipeline_with_an_exit_task_is_known_to_the_schemas_and_the_sdk(reporting, tmp_path):
    from google.protobuf import json_format
    from kfp import components
    from kfp.pipeline_spec import pipeline_spec_pb2

    json_format.ParseDict(reporting.pipeline, pipeline_spec_pb2.PipelineSpec())
    json_format.ParseDict(reporting.pipeline["deploymentSpec"], pipeline_spec_pb2.PipelineDeploymentConfig())
    file = tmp_path / "pipeline.yaml"
    write_spec(reporting.pipeline, reporting.platform, file)
    assert components.load_component_from_file(str(file)).pipeline_spec.pipeline_info.name == "caser"


def test_url_of_a_webhook_reaches_the_exit_task():
    cluster = ClusterSettings(webhook="https://chat.example.com/hook")
    compiled = compile_pipeline(load_config("sample"), "d", IMAGE, cluster)
    container = compiled.pipeline["deploymentSpec"]["executors"][f"exec-{EXIT_TASK}"]["container"]
    assert container["env"] == [{"name": WEBHOOK, "value": "https://chat.example.com/hook"}]
