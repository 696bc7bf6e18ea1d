"""Launches one node with TFX's portable launcher; shared by local runs and the pods of a cluster."""

from __future__ import annotations

import time
from typing import Any, Literal, Protocol

from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import launcher
from tfx.proto.orchestration import executable_spec_pb2, pipeline_pb2

State = Literal["done", "cached"]


class NodeObserver(Protocol):
    """Is notified about the nodes of a run."""

    def on_node_start(self, node_id: str) -> None:
        """A node starts."""

    def on_node_end(self, node_id: str, state: State, seconds: float) -> None:
        """A node finished; "cached" means that it reused the outputs of an earlier execution."""

    def on_node_failed(self, node_id: str, error: Exception, seconds: float) -> None:
        """A node failed; `error` is raised next."""


class _Launcher(launcher.Launcher):
    """TFX's launcher with a cache that ignores Beam's arguments: they say where a node runs, not what it makes."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        # The operator that runs the node has its own reference; this one is a part of the cache's key.
        if isinstance(self._executor_spec, executable_spec_pb2.BeamExecutableSpec):
            spec = self._executor_spec.python_executor_spec
            self._executor_spec = executable_spec_pb2.BeamExecutableSpec(python_executor_spec=spec)


def launch_node(ir: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode, mlmd: metadata.Metadata) -> State:
    """Runs driver, executor and publisher of a node.

    Args:
        ir: the pipeline that contains the node, with all runtime parameters substituted.
        node: the node.
        mlmd: connection to ML Metadata.

    Returns:
        "cached" if outputs of an earlier execution were reused, else "done".

    Raises:
        Exception: whatever the node raised.
    """
    deployment = runner_utils.extract_local_deployment_config(ir)
    execution_info = _Launcher(
        pipeline_node=node,
        mlmd_connection=mlmd,
        pipeline_info=ir.pipeline_info,
        pipeline_runtime_spec=ir.runtime_spec,
        executor_spec=runner_utils.extract_executor_spec(deployment, node.node_info.id),
        custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, node.node_info.id),
    ).launch()
    if execution_info is None or not execution_info.execution_id:
        return "done"
    with mlmd as handle:
        (execution,) = handle.store.get_executions_by_id([execution_info.execution_id])
    return "cached" if execution.last_known_state == metadata_store_pb2.Execution.CACHED else "done"


def launch_observed(
    ir: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode, mlmd: metadata.Metadata, observer: NodeObserver
) -> None:
    """Like `launch_node`, and notifies an observer.

    Args:
        ir: see `launch_node`.
        node: the node.
        mlmd: connection to ML Metadata.
        observer: is notified.

    Raises:
        Exception: whatever the node raised.
    """
    node_id, started = node.node_info.id, time.monotonic()
    observer.on_node_start(node_id)
    try:
        state = launch_node(ir, node, mlmd)
    except Exception as error:
        observer.on_node_failed(node_id, error, time.monotonic() - started)
        raise
    observer.on_node_end(node_id, state, time.monotonic() - started)
