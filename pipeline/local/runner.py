"""Runs the pipeline on this machine, node by node or with TFX's BeamDagRunner, and notifies an observer."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator
from typing import Any, Literal

from tfx import v1 as tfx
from tfx.dsl.compiler import constants
from tfx.orchestration import metadata
from tfx.orchestration.beam import beam_dag_runner
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import runtime_parameter_utils, tfx_runner
from tfx.proto.orchestration import pipeline_pb2

from pipeline.node_launcher import NodeObserver, launch_observed

# Global, because Beam pickles the DoFns that launch nodes, and an observer cannot be pickled.
_observers: list[NodeObserver] = []


def run(pipeline: tfx.dsl.Pipeline, observer: NodeObserver, orchestrator: Literal["local", "beam"] = "local") -> None:
    """Runs all nodes.

    Args:
        pipeline: from `pipeline.pipeline.create_pipeline`.
        observer: is notified about every node.
        orchestrator: "local" runs one node after the other; "beam" uses TFX's `BeamDagRunner`.

    Raises:
        Exception: whatever a node raised.
    """
    with _registered(observer):
        (_ObservedBeamRunner() if orchestrator == "beam" else _ObservedLocalRunner()).run(pipeline)


class _ObservedLocalRunner(tfx_runner.IrBasedRunner):
    """TFX's LocalDagRunner with an observer, for which TFX has no hook."""

    def run_with_ir(self, pipeline: pipeline_pb2.Pipeline, run_options: Any = None, **kwargs: Any) -> None:
        """Runs the nodes in topological order, the order of the IR."""
        run_id = datetime.datetime.now().isoformat()
        runtime_parameter_utils.substitute_runtime_parameter(
            pipeline, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
        )
        deployment = runner_utils.extract_local_deployment_config(pipeline)
        connection = deployment.metadata_connection_config
        config = getattr(connection, connection.WhichOneof("connection_config"))
        for node in pipeline.nodes:
            launch_observed(pipeline, node.pipeline_node, metadata.Metadata(config), _observers[-1])


class _ObservedNode(beam_dag_runner.PipelineNodeAsDoFn):
    """Launches a node inside a Beam pipeline."""

    def _run_node(self) -> None:
        launch_observed(
            self._pipeline, self._pipeline_node, metadata.Metadata(self._mlmd_connection_config), _observers[-1]
        )


class _ObservedBeamRunner(beam_dag_runner.BeamDagRunner):
    """TFX's BeamDagRunner with an observer."""

    _PIPELINE_NODE_DO_FN_CLS = _ObservedNode


@contextlib.contextmanager
def _registered(observer: NodeObserver) -> Iterator[None]:
    _observers.append(observer)
    try:
        yield
    finally:
        _observers.remove(observer)
