"""One node's part of TFX's intermediate representation (IR): carried as text, and restored in a pod.

What differs between the machine that compiles and the pod that runs is kept out of the text: the folder of the volume
and the place of the package's own files. So the text is the same wherever it is made.
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

# Stands for the mounted volume while the pipeline is wired.
VOLUME = "@volume@"
# Stands for the curated schema, which is in another place in every installation.
SCHEMA = "@schema@"


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
            f"The node's description cannot be read ({error}). Hint: compile the pipeline anew with the version of "
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
    replace(ir, {VOLUME: volume, SCHEMA: schema_path("interactions")})


def only_node(ir: pipeline_pb2.Pipeline) -> pipeline_pb2.PipelineNode:
    """The node of an IR from `node_irs`."""
    (node,) = ir.nodes
    return node.pipeline_node


def replace(ir: pipeline_pb2.Pipeline, values: Mapping[str, str]) -> None:
    """Replaces text in the node's parameters.

    Args:
        ir: is changed.
        values: new by old.
    """
    for parameter in only_node(ir).parameters.parameters.values():
        for old, new in values.items():
            if old in parameter.field_value.string_value:
                parameter.field_value.string_value = parameter.field_value.string_value.replace(old, new)
