"""Reads a SavedModel's graph as the server will: every operation known, every signature as in the contract."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

import tensorflow as tf
from google.protobuf import message
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2
from tensorflow.python.framework import op_def_registry

from components.export.signatures import FLOAT, INT64, SIGNATURES, STRING, Tensor

_SERVE = "serve"
# They call back into the Python of the process that made the graph. The server loads them, and fails on every request.
_PYTHON = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}
_DTYPES = {STRING: types_pb2.DT_STRING, FLOAT: types_pb2.DT_FLOAT, INT64: types_pb2.DT_INT64}


def serving_graph(folder: str) -> meta_graph_pb2.MetaGraphDef:
    """Reads the graph that a server takes.

    Args:
        folder: of the SavedModel.

    Raises:
        ValueError: there is none; one clause says why.
    """
    saved = saved_model_pb2.SavedModel()
    name = tf.saved_model.SAVED_MODEL_FILENAME_PB
    try:
        with open(os.path.join(folder, name), "rb") as file:
            saved.ParseFromString(file.read())
    except OSError as error:
        raise ValueError(f"there is no SavedModel: {name}: {error.strerror}") from None
    except message.DecodeError:
        raise ValueError(f"{name} is cut off, or no SavedModel") from None
    graphs = [graph for graph in saved.meta_graphs if _SERVE in graph.meta_info_def.tags]
    if len(graphs) != 1:
        raise ValueError(f"there should be one graph with the tag `{_SERVE}`; there are {len(graphs)}")
    return graphs[0]


def graph_fault(graph: meta_graph_pb2.MetaGraphDef) -> str | None:
    """What keeps a server from using a graph.

    Args:
        graph: from `serving_graph`.

    Returns:
        One clause, or None.
    """
    return _operation_fault(graph) or _signature_fault(graph)


def _operation_fault(graph: meta_graph_pb2.MetaGraphDef) -> str | None:
    functions = {function.signature.name for function in graph.graph_def.library.function}
    used = {node.op for node in _nodes(graph)} - functions
    if python := used & _PYTHON:
        return f"the graph calls back into Python, which a server does not have: {', '.join(sorted(python))}"
    unknown = {name for name in used if op_def_registry.get(name) is None}
    if unknown:
        return f"the graph uses operations that TensorFlow alone does not have: {', '.join(sorted(unknown))}"
    return None


def _nodes(graph: meta_graph_pb2.MetaGraphDef) -> Iterator:
    yield from graph.graph_def.node
    for function in graph.graph_def.library.function:
        yield from function.node_def


def _signature_fault(graph: meta_graph_pb2.MetaGraphDef) -> str | None:
    missing = SIGNATURES.keys() - graph.signature_def.keys()
    if missing:
        return f"signatures are missing: {', '.join(sorted(missing))}"
    for name, contract in SIGNATURES.items():
        found = graph.signature_def[name]
        for side, wanted, tensors in (
            ("inputs", contract.inputs, found.inputs),
            ("outputs", contract.outputs, found.outputs),
        ):
            # REST would take such an output for base64, under another name.
            if in_base64 := [tensor for tensor in tensors if tensor.endswith("_bytes")]:
                return f"an output of `{name}` ends in `_bytes`: {', '.join(sorted(in_base64))}"
            if tensors.keys() != wanted.keys():
                return f"the {side} of `{name}` should be {_listed(wanted)}; they are {_listed(tensors)}"
            for tensor in sorted(wanted):
                if wrong := _tensor_fault(tensors[tensor], wanted[tensor]):
                    return f"`{tensor}` of the {side} of `{name}` {wrong}"
    return None


def _tensor_fault(found: meta_graph_pb2.TensorInfo, wanted: Tensor) -> str | None:
    if found.WhichOneof("encoding") != "name":
        return "is ragged or sparse; a server can only return whole tensors"
    if found.dtype != _DTYPES[wanted.dtype]:
        return f"should be {wanted.dtype}; it is {types_pb2.DataType.Name(found.dtype)}"
    shape = [dimension.size for dimension in found.tensor_shape.dim]
    if found.tensor_shape.unknown_rank or len(shape) != wanted.dimensions:
        return f"should have {wanted.dimensions} dimension(s); its shape is {shape}"
    if shape[0] != -1:
        return f"should take a batch of any size; its shape is {shape}"
    return None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
