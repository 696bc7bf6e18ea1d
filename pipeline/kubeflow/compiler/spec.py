"""Writes the pipeline as Kubeflow's `PipelineSpec` 2.1.0 and `PlatformSpec`, as plain dicts.

Kubeflow's SDK is not needed for it, and what the SDK would write changes from version to version. The fields are those
of `pipeline_spec.proto` and `kubernetes_executor_config.proto`; tests parse them strictly, and hold the rules of the
backend with the source of each.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from components.errors import UserError
from pipeline.config.config import Config
from pipeline.config.suggestions import closest_match
from pipeline.kubeflow.compiler.cluster_settings import ClusterSettings, PodSettings
from pipeline.kubeflow.compiler.split_nodes import node_irs
from pipeline.kubeflow.nodes.node_file import MAX_INLINE, reference
from pipeline.kubeflow.nodes.node_ir import VOLUME, encode, only_node
from pipeline.kubeflow.nodes.run_parameters import RunParameter, run_parameters
from pipeline.kubeflow.nodes.task_names import METRICS, task_name
from pipeline.pipeline import PIPELINE_NAME, create_pipeline

STEP = "pipeline.kubeflow.step"
SCHEMA_VERSION, SDK_VERSION = "2.1.0", "kfp-2.5.0"
REPORT = "report"
_EVALUATOR = "Evaluator"
# As in `pipeline.local.run`: TensorFlow's faster products, also on CPUs where it would leave them off.
_ENVIRONMENT = {"TF_ENABLE_ONEDNN_OPTS": "1"}
# The backend fills this in where it is the whole value of a task's parameter, and nowhere else (v2/driver/resolve.go).
_RUN_ID = "{{$.pipeline_job_uuid}}"


class Compiled(NamedTuple):
    """A compiled pipeline.

    Attributes:
        pipeline: PipelineSpec.
        platform: PlatformSpec.
        nodes: texts of those nodes that are too long for an argument.
    """

    pipeline: dict[str, Any]
    platform: dict[str, Any]
    nodes: list[str]


def compile_pipeline(config: Config, data: str, image: str, cluster: ClusterSettings) -> Compiled:
    """Compiles the pipeline that `caser run` runs.

    Args:
        config: all settings of the pipeline.
        data: default of the run parameter: file, glob or `{SPAN}` pattern; a relative path is below the volume.
        image: with tfx-caser installed.
        cluster: where it runs.

    Returns:
        All of it; equal for equal arguments.

    Raises:
        UserError: the cluster's settings name a node that does not exist.
    """
    # Whether a run pushes is a parameter, so the node is always there.
    pushing = config.model_copy(update={"pusher": config.pusher.model_copy(update={"enabled": True})})
    irs = node_irs(create_pipeline(pushing, VOLUME, VOLUME, shared=True))
    for name in cluster.nodes:
        if name not in irs:
            raise UserError(f"There is no node `{name}`. Did you mean `{closest_match(name, list(irs))}`?")
    parameters = run_parameters(config, data)
    components, executors, tasks, pods, long_nodes = {}, {}, {}, {}, []
    for node_id, ir in irs.items():
        name, pod = task_name(node_id), cluster.pod(node_id)
        mine = [parameter for parameter in parameters if parameter.node_id == node_id]
        node = encode(ir)
        if len(node) > MAX_INLINE:
            long_nodes.append(node)
            node = reference(node)
        components[f"comp-{name}"] = _component(name, mine, node_id)
        executors[f"exec-{name}"] = {
            "container": {
                "image": image,
                "command": ["python", "-m", STEP],
                "args": _arguments(node, node_id, mine, config, cluster),
                "env": [{"name": name, "value": value} for name, value in sorted(_ENVIRONMENT.items())],
                **_resources(pod),
            }
        }
        upstream = [task_name(upstream) for upstream in sorted(only_node(ir).upstream_nodes)]
        tasks[name] = _task(name, mine, upstream, pod)
        pods[f"exec-{name}"] = _pod(cluster, pod)
    inputs = {parameter.name: _input(parameter) for parameter in parameters}
    return Compiled(
        pipeline={
            "components": components,
            "deploymentSpec": {"executors": executors},
            "pipelineInfo": {"name": PIPELINE_NAME},
            "root": {"dag": {"tasks": tasks}, "inputDefinitions": {"parameters": inputs}},
            "schemaVersion": SCHEMA_VERSION,
            "sdkVersion": SDK_VERSION,
        },
        platform={"platforms": {"kubernetes": {"deploymentSpec": {"executors": pods}}}},
        nodes=long_nodes,
    )


def _component(name: str, parameters: list[RunParameter], node_id: str) -> dict[str, Any]:
    inputs = {"run_id": {"parameterType": "STRING"}}
    inputs |= {parameter.name: {"parameterType": parameter.type} for parameter in parameters}
    outputs = {REPORT: _artifact("system.Markdown")}
    if node_id == _EVALUATOR:
        outputs[METRICS] = _artifact("system.Metrics")
    return {
        "executorLabel": f"exec-{name}",
        "inputDefinitions": {"parameters": inputs},
        "outputDefinitions": {"artifacts": outputs},
    }


def _artifact(title: str) -> dict[str, Any]:
    return {"artifactType": {"schemaTitle": title, "schemaVersion": "0.0.1"}}


def _arguments(
    node: str, node_id: str, parameters: list[RunParameter], config: Config, cluster: ClusterSettings
) -> list[str]:
    options = {
        "node": node,
        "run-id": "{{$.inputs.parameters['run_id']}}",
        "metadata": cluster.metadata_service,
        "metadata-timeout": str(cluster.metadata_timeout),
        "volume": cluster.mount_path,
        "artifacts": cluster.artifact_root or f"{cluster.mount_path}/pipeline",
        **{parameter.name: f"{{{{$.inputs.parameters['{parameter.name}']}}}}" for parameter in parameters},
        "report": f"{{{{$.outputs.artifacts['{REPORT}'].path}}}}",
    }
    if node_id == _EVALUATOR:
        options |= {"evaluator": config.evaluator.model_dump_json(), "executor-input": "{{$}}"}
    return [part for name, value in options.items() for part in (f"--{name}", value)]


def _task(name: str, parameters: list[RunParameter], upstream: list[str], pod: PodSettings) -> dict[str, Any]:
    inputs: dict[str, Any] = {"run_id": {"runtimeValue": {"constant": _RUN_ID}}}
    inputs |= {parameter.name: {"componentInputParameter": parameter.name} for parameter in parameters}
    task: dict[str, Any] = {
        "cachingOptions": {},  # Kubeflow's cache is off: TFX has its own, which knows the artifacts
        "componentRef": {"name": f"comp-{name}"},
        "inputs": {"parameters": inputs},
        "taskInfo": {"name": name},
    }
    if upstream:
        task["dependentTasks"] = upstream
    if pod.retries:
        task["retryPolicy"] = {
            "backoffDuration": "30s",
            "backoffFactor": 2.0,
            "backoffMaxDuration": "600s",
            "maxRetryCount": pod.retries,
        }
    return task


def _input(parameter: RunParameter) -> dict[str, Any]:
    return {
        "defaultValue": parameter.default,
        "description": parameter.description,
        "isOptional": True,
        "parameterType": parameter.type,
    }


def _resources(pod: PodSettings) -> dict[str, Any]:
    """PredictRequests equal limits, so that a node is not killed for memory that was promised to it."""
    resources: dict[str, Any] = {}
    if pod.cpu:
        resources |= {"cpuLimit": pod.cpu, "cpuRequest": pod.cpu}
    if pod.memory:
        resources |= {"memoryLimit": pod.memory, "memoryRequest": pod.memory}
    if pod.accelerator:
        resources["accelerator"] = {"type": pod.accelerator, "count": str(pod.accelerators)}
    return {"resources": resources} if resources else {}


def _pod(cluster: ClusterSettings, pod: PodSettings) -> dict[str, Any]:
    spec: dict[str, Any] = {"pvcMount": [{"constant": cluster.volume_claim, "mountPath": cluster.mount_path}]}
    if pod.node_selector:
        spec["nodeSelector"] = {"labels": dict(pod.node_selector)}
    if pod.tolerations:
        spec["tolerations"] = [toleration.model_dump(exclude_none=True) for toleration in pod.tolerations]
    return spec
