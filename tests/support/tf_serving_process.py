"""The stand-in for TensorFlow Serving as a process, with the flags, REST and gRPC interfaces of the real one.

    python -m tests.support.tf_serving_process --port=8500 --rest_api_port=8501 --model_config_file=models.config

It runs the graphs of real SavedModels in sessions, after replaying their warm-up requests, and merges concurrent
requests as the real server does with `--enable_batching`: histories of different width are refused, or padded with the
first value of their own tensor.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import signal
import threading
import time
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tests.support.served_model import Batcher, Batching, Servable, Tensors, arrays
from tests.support.tf_serving import Flags, ModelServer, ServingError

_HTTP = {
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 412,
}
_PATH = re.compile(r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?(?::predict)?")


class Process:
    """The server with its interfaces."""

    def __init__(self, flags: Flags, batching: Batching | None, log: Any = print) -> None:
        self._batching, self._log = batching, log
        self._servables: dict[Path, Servable | Batcher] = {}
        self.server = ModelServer(flags, time, self._load, unload=lambda folder: self._servables.pop(folder, None))

    def predict(
        self, name: str, signature: str, inputs: Tensors, label: str = "", version: int | None = None
    ) -> tuple[int, Tensors]:
        chosen, folder = self.server.resolve(name, label, version)
        servable = self._servables.get(folder)
        if servable is None:
            raise ServingError(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: Specific({name}, {chosen})")
        return chosen, servable.run(signature or "serving_default", inputs)

    def _load(self, folder: Path) -> str:
        try:
            servable = Servable(folder)
        except (tf.errors.OpError, OSError, ServingError, RuntimeError) as error:
            self._log(f"Loading servable {folder} failed: {error}")
            return str(error).splitlines()[0]
        self._servables[folder] = Batcher(servable, self._batching) if self._batching else servable
        return ""


class _Rpc(prediction_service_pb2_grpc.PredictionServiceServicer, model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, process: Process) -> None:
        self._process = process

    def Predict(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 -- named by gRPC
        spec = request.model_spec
        version = spec.version.value if spec.HasField("version") else None
        try:
            chosen, outputs = self._process.predict(
                spec.name, spec.signature_name, arrays(request), spec.version_label, version
            )
        except ServingError as error:
            context.abort(error.code, error.message)
        response = predict_pb2.PredictResponse()
        response.model_spec.name, response.model_spec.version.value = spec.name, chosen
        for name, value in outputs.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return response

    def GetModelStatus(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 -- named by gRPC
        response = get_model_status_pb2.GetModelStatusResponse()
        try:
            for version, loaded in self._process.server.statuses(request.model_spec.name).items():
                part = response.model_version_status.add(version=version)
                part.state = get_model_status_pb2.ModelVersionStatus.State.Value(loaded.state)
                part.status.error_message = loaded.error
        except ServingError as error:
            context.abort(error.code, error.message)
        return response

    def HandleReloadConfigRequest(self, request: Any, context: Any) -> Any:  # noqa: N802 -- named by gRPC
        response = model_management_pb2.ReloadConfigResponse()
        try:
            self._process.server.reload(request.config)
        except ServingError as error:
            response.status.error_code, response.status.error_message = error.code.value[0], error.message
        return response


class _Rest(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    process: Process

    def do_GET(self) -> None:
        match = _PATH.fullmatch(self.path)
        try:
            if not match:
                raise ServingError(grpc.StatusCode.INVALID_ARGUMENT, f"Malformed request: GET {self.path}")
            parts = [
                {
                    "version": str(version),
                    "state": loaded.state,
                    "status": {"error_code": "UNKNOWN" if loaded.error else "OK", "error_message": loaded.error},
                }
                for version, loaded in self.process.server.statuses(match["name"]).items()
            ]
            self._send(200, {"model_version_status": parts})
        except ServingError as error:
            self._send(_HTTP[error.code], {"error": error.message})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        match = _PATH.fullmatch(self.path)
        try:
            if not match:
                raise ServingError(grpc.StatusCode.INVALID_ARGUMENT, f"Malformed request: POST {self.path}")
            content = json.loads(body)
            columns, is_row = _columns(content)
            version = int(match["version"]) if match["version"] else None
            _, outputs = self.process.predict(
                match["name"], content.get("signature_name", ""), columns, match["label"] or "", version
            )
            self._send(200, _json_outputs(outputs, is_row))
        except ServingError as error:
            self._send(_HTTP[error.code], {"error": error.message})

    def _send(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def _columns(content: Any) -> tuple[Tensors, bool]:
    """The inputs of a request in column or row format."""
    if "instances" in content:
        rows = content["instances"]
        named = [row if isinstance(row, dict) and "b64" not in row else {"examples": row} for row in rows]
        columns = {name: [row[name] for row in named] for name in named[0]}
    else:
        columns = content["inputs"] if isinstance(content["inputs"], dict) else {"examples": content["inputs"]}
    try:
        return {name: np.array(_decoded(value), object) for name, value in columns.items()}, "instances" in content
    except ValueError:
        raise ServingError(grpc.StatusCode.INVALID_ARGUMENT, "Encountered list at unexpected size") from None


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        decoded = [_decoded(part) for part in value]
        if len({len(part) for part in decoded if isinstance(part, list)}) > 1:
            raise ValueError
        return decoded
    if isinstance(value, dict) and value.keys() == {"b64"}:
        return base64.b64decode(value["b64"])
    return value.encode() if isinstance(value, str) else value


def _json_outputs(outputs: Tensors, is_row: bool) -> Any:
    lists = {name: _texts(value.tolist()) for name, value in outputs.items()}
    if is_row:
        count = len(next(iter(lists.values())))
        rows = [{name: value[row] for name, value in lists.items()} for row in range(count)]
        return {"predictions": [next(iter(row.values())) for row in rows] if len(lists) == 1 else rows}
    return {"outputs": next(iter(lists.values())) if len(lists) == 1 else lists}


def _texts(value: Any) -> Any:
    if isinstance(value, list):
        return [_texts(part) for part in value]
    return value.decode() if isinstance(value, bytes) else value


def serve(
    flags: Flags, batching: Batching | None, port: int = 0, rest_port: int = 0
) -> tuple[Process, grpc.Server, int, ThreadingHTTPServer]:
    """Starts the server in threads of this process; port 0 is any free one."""
    process = Process(flags, batching)
    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    rpc = grpc.server(futures.ThreadPoolExecutor(64), options=unlimited)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(_Rpc(process), rpc)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(_Rpc(process), rpc)
    bound = rpc.add_insecure_port(f"127.0.0.1:{port}")
    rpc.start()
    handler = type("Handler", (_Rest,), {"process": process})
    rest = ThreadingHTTPServer(("127.0.0.1", rest_port), handler)
    rest.daemon_threads = True
    threading.Thread(target=rest.serve_forever, daemon=True).start()
    return process, rpc, bound, rest


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("port", "rest_api_port"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--model_config_file", required=True)
    parser.add_argument("--model_config_file_poll_wait_seconds", type=float, default=0)
    parser.add_argument("--file_system_poll_wait_seconds", type=float, default=1)
    parser.add_argument(
        "--allow_version_labels_for_unavailable_models", type=lambda text: text == "true", default=False
    )
    parser.add_argument("--enable_batching", type=lambda text: text == "true", default=False)
    parser.add_argument("--batching_parameters_file", type=Path)
    given, _ = parser.parse_known_args()
    flags = Flags(
        given.model_config_file,
        given.model_config_file_poll_wait_seconds,
        given.file_system_poll_wait_seconds,
        given.allow_version_labels_for_unavailable_models,
    )
    batching = Batching.of(given.batching_parameters_file.read_text()) if given.enable_batching else None
    process, rpc, _, _ = serve(flags, batching, given.port, given.rest_api_port)
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    while not stopped.wait(0.1):
        process.server.tick()
    rpc.stop(0)


if __name__ == "__main__":
    main()
