"""Runs a SavedModel in a session of TensorFlow's C API, the code path of TF Serving.

Python's `tf.saved_model.load` rebuilds functions and runs them eagerly, while a server runs the graph of the file. The
C library is part of the installed TensorFlow.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

_LIBRARY = "libtensorflow_cc.so.2"
_TAG = b"serve"
_STRING, _FLOAT, _INT64 = 7, 1, 9
_TSTRING_BYTES = 24
_DTYPES: dict[int, Any] = {_FLOAT: np.dtype(np.float32), _INT64: np.dtype(np.int64)}
_POINTERS = (
    "TF_NewStatus",
    "TF_Message",
    "TF_NewGraph",
    "TF_NewSessionOptions",
    "TF_LoadSessionFromSavedModel",
    "TF_GraphOperationByName",
    "TF_AllocateTensor",
    "TF_TensorData",
    "TF_StringGetDataPointer",
)


class _Output(ctypes.Structure):
    """TF_Output: an operation and the index of its output."""

    _fields_ = [("operation", ctypes.c_void_p), ("index", ctypes.c_int)]


def available() -> bool:
    """Whether the installed TensorFlow contains its C API."""
    return (Path(tf.__file__).parent / _LIBRARY).is_file()


class CSession:
    """A SavedModel run through the C API. It is never freed: the process is short-lived."""

    def __init__(self, folder: str) -> None:
        """Loads the graph and the variables, and initializes the lookup tables.

        Args:
            folder: directory of the SavedModel.

        Raises:
            RuntimeError: with TensorFlow's error message.
        """
        self._c = ctypes.CDLL(str(Path(tf.__file__).parent / _LIBRARY))
        for name in _POINTERS:
            getattr(self._c, name).restype = ctypes.c_void_p
        self._c.TF_Message.restype = ctypes.c_char_p
        for name in ("TF_StringGetSize", "TF_TensorByteSize"):
            getattr(self._c, name).restype = ctypes.c_size_t
        self._c.TF_Dim.restype = ctypes.c_int64
        self._status = ctypes.c_void_p(self._c.TF_NewStatus())
        self._graph = ctypes.c_void_p(self._c.TF_NewGraph())
        self._session = ctypes.c_void_p(
            self._c.TF_LoadSessionFromSavedModel(
                ctypes.c_void_p(self._c.TF_NewSessionOptions()),
                None,
                folder.encode(),
                (ctypes.c_char_p * 1)(_TAG),
                1,
                self._graph,
                None,
                self._status,
            )
        )
        self._check()

    def run(self, inputs: dict[str, np.ndarray], outputs: Sequence[str]) -> list[np.ndarray]:
        """Runs the graph once.

        Args:
            inputs: arrays of bytes (dtype object) by tensor name, such as `serve_x:0`.
            outputs: tensor names; string, float32 or int64.

        Returns:
            One array per output; strings are bytes (dtype object).

        Raises:
            RuntimeError: with TensorFlow's error message.
        """
        fed = (ctypes.c_void_p * len(inputs))(*(self._strings(array) for array in inputs.values()))
        fetched = (ctypes.c_void_p * len(outputs))()
        self._c.TF_SessionRun(
            self._session,
            None,
            (_Output * len(inputs))(*map(self._output, inputs)),
            fed,
            len(inputs),
            (_Output * len(outputs))(*map(self._output, outputs)),
            fetched,
            len(outputs),
            None,
            0,
            None,
            self._status,
        )
        self._check()
        return [self._array(ctypes.c_void_p(tensor)) for tensor in fetched]

    def _check(self) -> None:
        if self._c.TF_GetCode(self._status):
            raise RuntimeError(ctypes.string_at(self._c.TF_Message(self._status)).decode(errors="replace"))

    def _output(self, tensor: str) -> _Output:
        operation, _, index = tensor.partition(":")
        return _Output(self._c.TF_GraphOperationByName(self._graph, operation.encode()), int(index or 0))

    def _strings(self, array: np.ndarray) -> int:
        """A string tensor: consecutive TF_TString structures of 24 bytes."""
        shape = (ctypes.c_int64 * array.ndim)(*array.shape)
        tensor = self._c.TF_AllocateTensor(_STRING, shape, array.ndim, ctypes.c_size_t(array.size * _TSTRING_BYTES))
        start = self._c.TF_TensorData(ctypes.c_void_p(tensor))
        for index, text in enumerate(array.flat):
            string = ctypes.c_void_p(start + index * _TSTRING_BYTES)
            self._c.TF_StringInit(string)
            self._c.TF_StringCopy(string, text, ctypes.c_size_t(len(text)))
        return tensor

    def _array(self, tensor: ctypes.c_void_p) -> np.ndarray:
        shape = [self._c.TF_Dim(tensor, axis) for axis in range(self._c.TF_NumDims(tensor))]
        kind, start = self._c.TF_TensorType(tensor), self._c.TF_TensorData(tensor)
        if kind == _STRING:
            texts: list[Any] = [self._text(start + index * _TSTRING_BYTES) for index in range(math.prod(shape))]
            return np.array(texts, dtype=object).reshape(shape)
        data = ctypes.string_at(start, self._c.TF_TensorByteSize(tensor)) if start else b""
        return np.frombuffer(data, _DTYPES[kind]).reshape(shape)

    def _text(self, address: int) -> bytes:
        string = ctypes.c_void_p(address)
        return ctypes.string_at(self._c.TF_StringGetDataPointer(string), self._c.TF_StringGetSize(string))
