"""One node's part of TFX's intermediate representation (IR): cut out, carried as text, and restored in a pod.

What differs between the machine that compiles and the pod that runs is kept out of the text: the folder of the volume
and the place of the package's own files. So the text is the same wherever it is made.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping

from google.protobuf import message
from tfx import v1 as tfx
from tfx.dsl.compiler import compiler, constants
from tfx.orchestration.portable import runtime_parameter_utils
from tfx.proto.orchestration import pipeline_pb2

from components.errors import UserError
from schemas import schema_path

# Stands for the mounted volume while the pipeline is wired.
VOLUME = "@volume@"
_SCHEMA = "@schema@"


def node_irs(pipeline: tfx.dsl.Pipeline) -> dict[str, pipeline_pb2.Pipeline]:
    """Compiles a pipeline and cuts it into its nodes.

    Args:
        pipeline: whose paths begin with `VOLUME`.

    Returns:
        By node id, in DAG order, a pipeline of that node alone.
    """
    whole = compiler.Compiler().compile(pipeline)
    deployment = pipeline_pb2.IntermediateDeploymentConfig()
    whole.deployment_config.Unpack(deployment)
    return {node.pipeline_node.node_info.id: _cut(whole, deployment, node.pipeline_node) for node in whole.nodes}


def encode(ir: pipeline_pb2.Pipeline) -> str:
    """The IR as text: gzip, then base64; equal for equal IRs."""
    return base64.b64encode(gzip.compress(ir.SerializeToString(deterministic=True), mtime=0)).decode()


def decode(text: str) -> pipeline_pb2.Pipeline:
    """The inverse of `encode`.

    Raises:
        UserError: it is none.
    """
    try:
        ir = pipeline_pb2.Pipeline.FromString(gzip.decompress(base64.b64decode(text, validate=True)))
        only_node(ir)
    except (ValueError, OSError, EOFError, message.DecodeError) as error:
        raise UserError(
            f"The node's description cannot be read ({error}). Remedy: compile the pipeline anew with the version of "
            "tfx-caser that is in the image."
        ) from None
    return ir


def restore(ir: pipeline_pb2.Pipeline, volume: str, artifact_root: str, run_id: str) -> None:
    """Puts in what is known only where the node runs.

    Args:
        ir: is changed.
        volume: folder of the volume.
        artifact_root: folder or object store for TFX's artifacts.
        run_id: of the pipeline's run.
    """
    bindings = {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id, constants.PIPELINE_ROOT_PARAMETER_NAME: artifact_root}
    runtime_parameter_utils.substitute_runtime_parameter(ir, bindings)
    _replace(ir, {VOLUME: volume, _SCHEMA: schema_path("interactions")})


def only_node(ir: pipeline_pb2.Pipeline) -> pipeline_pb2.PipelineNode:
    """The node of an IR from `node_irs`."""
    (node,) = ir.nodes
    return node.pipeline_node


def _cut(
    whole: pipeline_pb2.Pipeline,
    deployment: pipeline_pb2.IntermediateDeploymentConfig,
    node: pipeline_pb2.PipelineNode,
) -> pipeline_pb2.Pipeline:
    part = pipeline_pb2.Pipeline(
        pipeline_info=whole.pipeline_info, runtime_spec=whole.runtime_spec, execution_mode=whole.execution_mode
    )
    part.nodes.add().pipeline_node.CopyFrom(node)
    kept = pipeline_pb2.IntermediateDeploymentConfig()
    for all_specs, kept_specs in (
        (deployment.executor_specs, kept.executor_specs),
        (deployment.custom_driver_specs, kept.custom_driver_specs),
    ):
        if node.node_info.id in all_specs:
            kept_specs[node.node_info.id].CopyFrom(all_specs[node.node_info.id])
    part.deployment_config.Pack(kept, deterministic=True)
    _replace(part, {schema_path("interactions"): _SCHEMA})
    return part


def _replace(ir: pipeline_pb2.Pipeline, values: Mapping[str, str]) -> None:
    for parameter in only_node(ir).parameters.parameters.values():
        for old, new in values.items():
            if old in parameter.field_value.string_value:
                parameter.field_value.string_value = parameter.field_value.string_value.replace(old, new)
