"""A SavedModel as TensorFlow Serving runs it: in a session, after its warm-up requests, merging concurrent requests."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from tests.support.tf_serving import ServingError

_WARMUP = "assets.extra/tf_serving_warmup_requests"
Tensors = dict[str, np.ndarray]


@dataclass
class Batching:
    """Parameters of batching, as in the file of the real server."""

    max_batch_size: int = 64
    batch_timeout_micros: int = 1000
    pad_variable_length_inputs: bool = False
    enable_large_batch_splitting: bool = False
    allowed_batch_sizes: list[int] = field(default_factory=list)

    @staticmethod
    def of(text: str) -> Batching:
        found = dict(re.findall(r"(\w+)\s*(?::|\{\s*value:)\s*(\w+)", text))
        allowed = [int(size) for size in re.findall(r"allowed_batch_sizes:\s*(\d+)", text)]
        return Batching(
            int(found.get("max_batch_size", 64)),
            int(found.get("batch_timeout_micros", 1000)),
            found.get("pad_variable_length_inputs", "false").lower() == "true",
            found.get("enable_large_batch_splitting", "false").lower() == "true",
            allowed,
        )


@dataclass
class Task:
    inputs: Tensors
    done: threading.Event = field(default_factory=threading.Event)
    outputs: Tensors | None = None
    error: ServingError | None = None

    @property
    def rows(self) -> int:
        return len(next(iter(self.inputs.values())))


class Servable:
    """One loaded SavedModel."""

    def __init__(self, folder: Path) -> None:
        self._session = tf.compat.v1.Session(graph=tf.Graph())
        with self._session.graph.as_default():
            self.graph = tf.compat.v1.saved_model.load(self._session, ["serve"], str(folder))
        warmup = folder / _WARMUP
        if warmup.exists():
            for record in tf.compat.v1.io.tf_record_iterator(str(warmup)):
                request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
                self.run(request.model_spec.signature_name, arrays(request))

    def run(self, signature: str, inputs: Tensors) -> Tensors:
        declared = self.signature(signature)
        if declared.inputs.keys() != inputs.keys():
            raise ServingError(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"input size does not match signature: {len(inputs)}!={len(declared.inputs)} "
                f"len({{{','.join(inputs)}}}) != len({{{','.join(declared.inputs)}}}).",
            )
        try:
            outputs = self._session.run(
                {name: part.name for name, part in declared.outputs.items()},
                {declared.inputs[name].name: value for name, value in inputs.items()},
            )
        except (tf.errors.OpError, ValueError) as error:
            raise ServingError(grpc.StatusCode.INVALID_ARGUMENT, str(error).splitlines()[-1]) from None
        return dict(outputs)

    def signature(self, name: str) -> Any:
        if name not in self.graph.signature_def:
            raise ServingError(grpc.StatusCode.INVALID_ARGUMENT, f'Serving signature key "{name}" not found.')
        return self.graph.signature_def[name]


class Batcher:
    """Merges the requests that arrive within a moment."""

    def __init__(self, servable: Servable, parameters: Batching) -> None:
        self._servable, self._parameters = servable, parameters
        self._lock = threading.Lock()
        self._waiting: dict[str, list[Task]] = {}

    def run(self, signature: str, inputs: Tensors) -> Tensors:
        limit = self._parameters.max_batch_size
        task = Task(inputs)
        if task.rows > limit:
            if not self._parameters.enable_large_batch_splitting:
                raise ServingError(
                    grpc.StatusCode.INVALID_ARGUMENT,
                    f"Task size {task.rows} is larger than maximum input batch size {limit}",
                )
            parts = [
                self.run(signature, {name: value[first : first + limit] for name, value in inputs.items()})
                for first in range(0, task.rows, limit)
            ]
            return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        with self._lock:
            queue = self._waiting.setdefault(signature, [])
            is_first = not queue or sum(other.rows for other in queue) + task.rows > limit
            if is_first and queue:
                self._waiting[signature] = queue = []
            queue.append(task)
        if is_first:
            time.sleep(self._parameters.batch_timeout_micros / 1e6)
            with self._lock:
                if self._waiting.get(signature) is queue:
                    del self._waiting[signature]
                tasks = list(queue)
            self._run_batch(signature, tasks)
        task.done.wait()
        if task.error:
            raise task.error
        assert task.outputs is not None
        return task.outputs

    def _run_batch(self, signature: str, tasks: list[Task]) -> None:
        try:
            merged = {name: self._merged(name, [task.inputs[name] for task in tasks]) for name in tasks[0].inputs}
            rows = sum(task.rows for task in tasks)
            size = next((size for size in self._parameters.allowed_batch_sizes if size >= rows), rows)
            filled = {
                name: np.concatenate([value, np.repeat(value[:1], size - rows, axis=0)])
                for name, value in merged.items()
            }
            outputs = self._servable.run(signature, filled)
            first = 0
            for task in tasks:
                task.outputs = {name: value[first : first + task.rows] for name, value in outputs.items()}
                first += task.rows
        except ServingError as error:
            for task in tasks:
                task.error = error
        finally:
            for task in tasks:
                task.done.set()

    def _merged(self, name: str, tensors: list[np.ndarray]) -> np.ndarray:
        shapes = {tensor.shape[1:] for tensor in tensors}
        if len(shapes) == 1:
            return np.concatenate(tensors)
        if not self._parameters.pad_variable_length_inputs:
            raise ServingError(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"Tensors with name '{name}' from different tasks have different shapes and padding is turned off.",
            )
        width = max(tensor.shape[1] for tensor in tensors)
        return np.concatenate(
            [
                np.concatenate(
                    [tensor, np.full((len(tensor), width - tensor.shape[1]), tensor.flat[0], object)], axis=1
                )
                for tensor in tensors
            ]
        )


def arrays(request: Any) -> Tensors:
    return {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
