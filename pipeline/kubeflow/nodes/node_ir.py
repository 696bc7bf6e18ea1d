"""The intermediate representation (IR) of a single node: encoded as text, restored in a pod.

Paths that differ between the compiling machine and the pod (the volume, files of this package) are placeholders, so the
text is the same wherever it is compiled.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping

from google.protobuf import message
from tfx.dsl.compiler import constants
from tfx.orchestration.portable import runtime_parameter_utils
from tfx.proto.orchestration import pipeline_pb2

from components.errors import UserError
from schemas import schema_path

# Placeholder for the mount path of the volume.
VOLUME = "@volume@"
# Placeholder for the path of the schema file, which depends on the installation.
SCHEMA = "@schema@"


def encode(ir: pipeline_pb2.Pipeline) -> str:
    """The IR as text: gzip, then base64; equal for equal IRs."""
    return base64.b64encode(gzip.compress(ir.SerializeToString(deterministic=True), mtime=0)).decode()


def decode(text: str) -> pipeline_pb2.Pipeline:
    """The inverse of `encode`.

    Args:
        text: encoded IR.

    Raises:
        UserError: the text is malformed.
    """
    try:
        ir = pipeline_pb2.Pipeline.FromString(gzip.decompress(base64.b64decode(text, validate=True)))
        only_node(ir)
    except (ValueError, OSError, EOFError, message.DecodeError) as error:
        raise UserError(
            f"Malformed node description ({error}). "
            "Hint: recompile the pipeline with the version of tfx-caser in the image."
        ) from None
    return ir


def restore(ir: pipeline_pb2.Pipeline, volume: str, artifact_root: str, run_id: str) -> None:
    """Replaces the placeholders.

    Args:
        ir: IR of the node; modified by this function.
        volume: path of the mounted volume.
        artifact_root: directory or URI of TFX's artifacts.
        run_id: ID of the pipeline run.
    """
    bindings = {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id, constants.PIPELINE_ROOT_PARAMETER_NAME: artifact_root}
    runtime_parameter_utils.substitute_runtime_parameter(ir, bindings)
    replace(ir, {VOLUME: volume, SCHEMA: schema_path("interactions")})


def only_node(ir: pipeline_pb2.Pipeline) -> pipeline_pb2.PipelineNode:
    """The node of an IR from `node_irs`."""
    (node,) = ir.nodes
    return node.pipeline_node


def replace(ir: pipeline_pb2.Pipeline, values: Mapping[str, str]) -> None:
    """Replaces text in the parameters of the node.

    Args:
        ir: IR of the node; modified by this function.
        values: new text by old text.
    """
    for parameter in only_node(ir).parameters.parameters.values():
        for old, new in values.items():
            if old in parameter.field_value.string_value:
                parameter.field_value.string_value = parameter.field_value.string_value.replace(old, new)
