"""The exit task, which reports a failed or not blessed run to a webhook.

Kubeflow runs an exit task after a sub-DAG, whatever the end of that is (v2/compiler/argocompiler/dag.go, DAG: it
becomes an exit hook). So with an exit task, all nodes are in a sub-DAG.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pipeline.kubeflow.compiler.cluster_settings import ClusterSettings, SecretKey
from pipeline.kubeflow.compiler.pod_config import pod_config
from pipeline.kubeflow.nodes.task_names import EXIT_TASK, NODES_TASK

REPORTER = "pipeline.kubeflow.step.report_run"
# The environment variable with the URL.
WEBHOOK = "CASER_WEBHOOK"
# The backend replaces this only if it is the whole value of a task's parameter (v2/driver/resolve.go).
RUN_ID = "{{$.pipeline_job_uuid}}"


class Compiled(NamedTuple):
    """A compiled pipeline.

    Attributes:
        pipeline: PipelineSpec.
        platform: PlatformSpec.
        nodes: payloads of nodes that are too large for an argument.
    """

    pipeline: dict[str, Any]
    platform: dict[str, Any]
    nodes: list[str]


def with_exit_task(compiled: Compiled, node_ids: Sequence[str], image: str, cluster: ClusterSettings) -> Compiled:
    """Moves all nodes into a sub-DAG and adds the exit task.

    Args:
        compiled: the pipeline without an exit task; modified by this function.
        node_ids: all nodes.
        image: container image with tfx-caser.
        cluster: settings of the cluster, with a webhook.

    Returns:
        The pipeline.
    """
    pipeline, root = compiled.pipeline, compiled.pipeline["root"]
    parameters = root["inputDefinitions"]["parameters"]
    types = {name: {"parameterType": parameter["parameterType"]} for name, parameter in parameters.items()}
    pipeline["components"][f"comp-{NODES_TASK}"] = {"dag": root["dag"], "inputDefinitions": {"parameters": types}}
    pipeline["components"][f"comp-{EXIT_TASK}"] = {
        "executorLabel": f"exec-{EXIT_TASK}",
        "inputDefinitions": {"parameters": {"run_id": {"parameterType": "STRING"}, "push": types["push"]}},
    }
    root["dag"] = {
        "tasks": {
            NODES_TASK: {
                "cachingOptions": {},
                "componentRef": {"name": f"comp-{NODES_TASK}"},
                "inputs": {"parameters": {name: {"componentInputParameter": name} for name in parameters}},
                "taskInfo": {"name": NODES_TASK},
            },
            EXIT_TASK: {
                "cachingOptions": {},
                "componentRef": {"name": f"comp-{EXIT_TASK}"},
                "dependentTasks": [NODES_TASK],
                "inputs": {
                    "parameters": {
                        "run_id": {"runtimeValue": {"constant": RUN_ID}},
                        "push": {"componentInputParameter": "push"},
                    }
                },
                "taskInfo": {"name": EXIT_TASK},
                "triggerPolicy": {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"},
            },
        }
    }
    webhook, env = cluster.webhook, dict(cluster.env)
    variables = []
    if isinstance(webhook, SecretKey):
        env[WEBHOOK] = webhook
    else:
        variables = [{"name": WEBHOOK, "value": str(webhook)}]
    options = {
        "run-id": "{{$.inputs.parameters['run_id']}}",
        "push": "{{$.inputs.parameters['push']}}",
        "metadata": cluster.metadata_service,
        "metadata-timeout": str(cluster.metadata_timeout),
        "nodes": ",".join(node_ids),
    }
    pipeline["deploymentSpec"]["executors"][f"exec-{EXIT_TASK}"] = {
        "container": {
            "image": image,
            "command": ["python", "-m", REPORTER],
            "args": [part for name, value in options.items() for part in (f"--{name}", value)],
            "env": variables,
        }
    }
    pods = compiled.platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    pods[f"exec-{EXIT_TASK}"] = pod_config(cluster, cluster.defaults, env)
    return compiled
