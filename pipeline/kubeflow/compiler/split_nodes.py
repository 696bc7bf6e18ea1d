"""Compiles a pipeline to TFX's IR and splits it into nodes; separate from `node_ir`, which pods need."""

from __future__ import annotations

from tfx import v1 as tfx
from tfx.dsl.compiler import compiler
from tfx.proto.orchestration import pipeline_pb2

from pipeline.kubeflow.nodes.node_ir import SCHEMA, replace
from schemas import schema_path


def node_irs(pipeline: tfx.dsl.Pipeline) -> dict[str, pipeline_pb2.Pipeline]:
    """Compiles a pipeline and splits it into nodes.

    Args:
        pipeline: pipeline whose paths begin with `VOLUME`.

    Returns:
        By node id, in DAG order, the IR of a pipeline with only that node.
    """
    whole = compiler.Compiler().compile(pipeline)
    deployment = pipeline_pb2.IntermediateDeploymentConfig()
    whole.deployment_config.Unpack(deployment)
    return {node.pipeline_node.node_info.id: _split(whole, deployment, node.pipeline_node) for node in whole.nodes}


def _split(
    whole: pipeline_pb2.Pipeline,
    deployment: pipeline_pb2.IntermediateDeploymentConfig,
    node: pipeline_pb2.PipelineNode,
) -> pipeline_pb2.Pipeline:
    part = pipeline_pb2.Pipeline(
        pipeline_info=whole.pipeline_info, runtime_spec=whole.runtime_spec, execution_mode=whole.execution_mode
    )
    part.nodes.add().pipeline_node.CopyFrom(node)
    own = pipeline_pb2.IntermediateDeploymentConfig()
    for all_specs, own_specs in (
        (deployment.executor_specs, own.executor_specs),
        (deployment.custom_driver_specs, own.custom_driver_specs),
    ):
        if node.node_info.id in all_specs:
            own_specs[node.node_info.id].CopyFrom(all_specs[node.node_info.id])
    part.deployment_config.Pack(own, deterministic=True)
    replace(part, {schema_path("interactions"): SCHEMA})
    return part
