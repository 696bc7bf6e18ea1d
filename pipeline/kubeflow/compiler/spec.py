"""Compiles the pipeline to Kubeflow's `PipelineSpec` 2.1.0 and `PlatformSpec`, as plain dicts.

It does not need Kubeflow's SDK, whose output changes from version to version. The fields are those of
`pipeline_spec.proto` and `kubernetes_executor_config.proto`; tests parse them strictly and check the rules of the
backend, each with its source.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tfx.proto.orchestration import pipeline_pb2

from components.errors import UserError
from pipeline.config.config import Config
from pipeline.config.suggestions import closest_match
from pipeline.kubeflow.compiler.cluster_settings import ClusterSettings, PodSettings
from pipeline.kubeflow.compiler.exit_task import RUN_ID, Compiled, with_exit_task
from pipeline.kubeflow.compiler.pod_config import pod_config
from pipeline.kubeflow.compiler.split_nodes import node_irs
from pipeline.kubeflow.nodes.node_file import MAX_INLINE, reference
from pipeline.kubeflow.nodes.node_ir import VOLUME, encode, only_node
from pipeline.kubeflow.nodes.run_parameters import RunParameter, run_parameters
from pipeline.kubeflow.nodes.task_names import METRICS, task_name
from pipeline.pipeline import PIPELINE_NAME, create_pipeline
from pipeline.tensorflow_environment import TENSORFLOW_ENVIRONMENT

STEP = "pipeline.kubeflow.step"
SCHEMA_VERSION, SDK_VERSION = "2.1.0", "kfp-2.5.0"
REPORT = "report"
_EVALUATOR = "Evaluator"
# A week. Argo counts it from the start of the first attempt: with less, a task that fails later than that would not be
# tried again, and a second attempt would be ended at that time. It cannot be left out: the backend would pass on 0.
_RETRY_WINDOW = "604800s"


def compile_pipeline(config: Config, data: str, image: str, cluster: ClusterSettings) -> Compiled:
    """Compiles the pipeline of `caser run`.

    Args:
        config: all settings of the pipeline.
        data: default of the run parameter `data`: file, glob pattern, or pattern with `{SPAN}`; relative paths are
            below the volume.
        image: container image with tfx-caser.
        cluster: settings of the cluster.

    Returns:
        The compiled pipeline; equal for equal arguments.

    Raises:
        UserError: the cluster settings name an unknown node.
    """
    # Pushing is a run parameter, so the pipeline always contains the Pusher.
    pushing = config.model_copy(update={"pusher": config.pusher.model_copy(update={"enabled": True})})
    irs = node_irs(create_pipeline(pushing, VOLUME, VOLUME, shared=True))
    for name in cluster.nodes:
        if name not in irs:
            raise UserError(
                f"Unknown node `{name}` in the cluster settings. Did you mean `{closest_match(name, list(irs))}`?"
            )
    parameters = run_parameters(config, data)
    nodes = [_compile_node(ir, parameters, config, image, cluster) for ir in irs.values()]
    inputs = {parameter.name: _input(parameter) for parameter in parameters}
    compiled = Compiled(
        pipeline={
            "components": {f"comp-{node.name}": node.component for node in nodes},
            "deploymentSpec": {"executors": {f"exec-{node.name}": node.executor for node in nodes}},
            "pipelineInfo": {"name": PIPELINE_NAME},
            "root": {
                "dag": {"tasks": {node.name: node.task for node in nodes}},
                "inputDefinitions": {"parameters": inputs},
            },
            "schemaVersion": SCHEMA_VERSION,
            "sdkVersion": SDK_VERSION,
        },
        platform={
            "platforms": {
                "kubernetes": {"deploymentSpec": {"executors": {f"exec-{node.name}": node.pod for node in nodes}}}
            }
        },
        nodes=[node.payload for node in nodes if node.payload is not None],
    )
    return with_exit_task(compiled, list(irs), image, cluster) if cluster.webhook else compiled


class _CompiledNode(NamedTuple):
    """One node: name of its task, and its parts of PipelineSpec and PlatformSpec.

    Attributes:
        name: name of the task.
        component: inputs and outputs.
        executor: the container.
        task: dependencies and retries.
        pod: mounts and scheduling.
        payload: text of the node if it is too large for an argument, else None.
    """

    name: str
    component: dict[str, Any]
    executor: dict[str, Any]
    task: dict[str, Any]
    pod: dict[str, Any]
    payload: str | None


def _compile_node(
    ir: pipeline_pb2.Pipeline, parameters: list[RunParameter], config: Config, image: str, cluster: ClusterSettings
) -> _CompiledNode:
    node = only_node(ir)
    node_id = node.node_info.id
    name, pod = task_name(node_id), cluster.pod(node_id)
    own_parameters = [parameter for parameter in parameters if parameter.node_id == node_id]
    payload = encode(ir)
    is_large = len(payload) > MAX_INLINE
    argument = reference(payload) if is_large else payload
    return _CompiledNode(
        name=name,
        component=_component(name, own_parameters, node_id),
        executor={
            "container": {
                "image": image,
                "command": ["python", "-m", STEP],
                "args": _arguments(argument, node_id, own_parameters, config, cluster),
                "env": [{"name": name, "value": value} for name, value in sorted(TENSORFLOW_ENVIRONMENT.items())],
                **_resources(pod),
            }
        },
        task=_task(name, own_parameters, [task_name(upstream) for upstream in sorted(node.upstream_nodes)], pod),
        pod=pod_config(cluster, pod, cluster.env),
        payload=payload if is_large else None,
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
    inputs: dict[str, Any] = {"run_id": {"runtimeValue": {"constant": RUN_ID}}}
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
            "backoffMaxDuration": _RETRY_WINDOW,
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
    """Resource requests equal limits, so that a pod is not evicted for memory it requested."""
    resources: dict[str, Any] = {}
    if pod.cpu:
        resources |= {"cpuLimit": pod.cpu, "cpuRequest": pod.cpu}
    if pod.memory:
        resources |= {"memoryLimit": pod.memory, "memoryRequest": pod.memory}
    if pod.accelerator:
        resources["accelerator"] = {"type": pod.accelerator, "count": str(pod.accelerators)}
    return {"resources": resources} if resources else {}
