"""Checks the graph of a SavedModel: known ops that compute only, and all signatures as declared."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import tensorflow as tf
from google.protobuf import message
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2
from tensorflow.python.framework import op_def_registry

from components.export.signatures import FLOAT, INT64, SIGNATURES, STRING, Tensor

TAG = "serve"
# These ops call back into Python. A server loads them, and then fails on every request.
_PYTHON = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}
# These ops read or write files, open connections or exchange data with other processes: a model from elsewhere could
# use them to read the server's files.
_OUTSIDE = re.compile(
    r"Dataset|Iterator|Reader|Summary|Rpc|Collective|Nccl|Debug|Remote|Snapshot|TPU|Tpu|DTensor|^_?(Host|Xla)?(Send|Recv)"
    r"|^(ReadFile|WriteFile|MatchingFiles|PrintV2|Save|SaveSlices|Restore|RestoreSlice|DistributedSave"
    r"|FileSystemSetConfiguration|GenerateVocabRemapping|LoadAndRemapMatrix|WorkerHeartbeat)$"
)
# These are part of every SavedModel and run when it is saved or loaded; no request may reach them.
_ONLY_AT_LOADING = re.compile(r"^(SaveV2|RestoreV2|MergeV2Checkpoints|ShardedFile.*|InitializeTableFromTextFile.*)$")
# TensorFlow stores the op that initializes a model as a signature.
_INITIALIZATION = "__saved_model_init_op"
_DTYPES = {STRING: types_pb2.DT_STRING, FLOAT: types_pb2.DT_FLOAT, INT64: types_pb2.DT_INT64}


def serving_graph(folder: str) -> meta_graph_pb2.MetaGraphDef:
    """Reads the graph that a server would load.

    Args:
        folder: directory of the SavedModel.

    Raises:
        ValueError: there is no such graph; the message is one clause.
    """
    saved = saved_model_pb2.SavedModel()
    name = tf.saved_model.SAVED_MODEL_FILENAME_PB
    try:
        with open(os.path.join(folder, name), "rb") as file:
            saved.ParseFromString(file.read())
    except OSError as error:
        raise ValueError(f"not a SavedModel: {name}: {error.strerror}") from None
    except message.DecodeError:
        raise ValueError(f"{name} is truncated or not a SavedModel") from None
    graphs = [graph for graph in saved.meta_graphs if TAG in graph.meta_info_def.tags]
    if len(graphs) != 1:
        raise ValueError(f"expected one graph with the tag `{TAG}`, found {len(graphs)}")
    return graphs[0]


def graph_mismatch(graph: meta_graph_pb2.MetaGraphDef) -> str | None:
    """Finds what would prevent a server from using a graph.

    Args:
        graph: from `serving_graph`.

    Returns:
        One clause, or None if there is no problem.
    """
    return _op_mismatch(graph) or _signature_mismatch(graph)


def _op_mismatch(graph: meta_graph_pb2.MetaGraphDef) -> str | None:
    functions = {function.signature.name for function in graph.graph_def.library.function}
    used = {node.op for node in _nodes(graph)} - functions
    if python := used & _PYTHON:
        return f"the graph calls back into Python, which servers do not have: {', '.join(sorted(python))}"
    requested = {node.op for node in _reached_by_requests(graph)}
    outside = {name for name in used if _OUTSIDE.search(name)} | {
        name for name in requested if _ONLY_AT_LOADING.search(name)
    }
    if outside:
        return f"the graph uses ops that reach files, the network or other processes: {', '.join(sorted(outside))}"
    unknown = {name for name in used if op_def_registry.get(name) is None}
    if unknown:
        return f"the graph uses ops that are not part of TensorFlow: {', '.join(sorted(unknown))}"
    return None


def _nodes(graph: meta_graph_pb2.MetaGraphDef) -> Iterator:
    yield from graph.graph_def.node
    for function in graph.graph_def.library.function:
        yield from function.node_def


def _reached_by_requests(graph: meta_graph_pb2.MetaGraphDef) -> Iterator:
    """The nodes that any signature runs, those of called functions included."""
    nodes = {node.name: node for node in graph.graph_def.node}
    functions = {function.signature.name: function for function in graph.graph_def.library.function}
    pending = [
        tensor.name
        for name, signature in graph.signature_def.items()
        if name != _INITIALIZATION
        for tensor in signature.outputs.values()
    ]
    seen: set[str] = set()
    called: set[str] = set()
    while pending:
        name = pending.pop().lstrip("^").split(":")[0]
        if name in seen or name not in nodes:
            continue
        seen.add(name)
        pending += nodes[name].input
        yield nodes[name]
        calls = [*_called(nodes[name], functions)]
        while calls:
            function = calls.pop()
            if function in called:
                continue
            called.add(function)
            for node in functions[function].node_def:
                yield node
                calls += _called(node, functions)


def _called(node: Any, functions: Mapping[str, Any]) -> Iterator[str]:
    """The functions that a node calls."""
    named = [node.op]
    for value in node.attr.values():
        named += [value.func.name, *(part.name for part in value.list.func)]
    yield from (name for name in named if name in functions)


def _signature_mismatch(graph: meta_graph_pb2.MetaGraphDef) -> str | None:
    missing = SIGNATURES.keys() - graph.signature_def.keys()
    if missing:
        return f"signatures are missing: {', '.join(sorted(missing))}"
    for name, contract in SIGNATURES.items():
        actual = graph.signature_def[name]
        for side, expected, tensors in (
            ("inputs", contract.inputs, actual.inputs),
            ("outputs", contract.outputs, actual.outputs),
        ):
            # TF Serving's REST API would base64-encode such an output and rename it.
            if in_base64 := [tensor for tensor in tensors if tensor.endswith("_bytes")]:
                return f"an output of `{name}` ends in `_bytes`: {', '.join(sorted(in_base64))}"
            if tensors.keys() != expected.keys():
                return f"the {side} of `{name}` should be {_names(expected)}. Received: {_names(tensors)}"
            for tensor in sorted(expected):
                if problem := _tensor_mismatch(tensors[tensor], expected[tensor]):
                    return f"`{tensor}` of the {side} of `{name}` {problem}"
    return None


def _tensor_mismatch(actual: meta_graph_pb2.TensorInfo, expected: Tensor) -> str | None:
    if actual.WhichOneof("encoding") != "name":
        return "is ragged or sparse; a server can only return dense tensors"
    if actual.dtype != _DTYPES[expected.dtype]:
        return f"should be {expected.dtype}. Received: {types_pb2.DataType.Name(actual.dtype)}"
    shape = [dimension.size for dimension in actual.tensor_shape.dim]
    if actual.tensor_shape.unknown_rank or len(shape) != expected.dimensions:
        return f"should have {expected.dimensions} dimension(s). Received shape: {shape}"
    if shape[0] != -1:
        return f"should have a batch dimension of any size. Received shape: {shape}"
    return None


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
