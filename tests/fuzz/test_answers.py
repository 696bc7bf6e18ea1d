"""Answers of servers that are no TF Serving, or a broken one: the right answer, or one message."""

import json
import socketserver
import threading

import grpc
from hypothesis import example, given
from hypothesis import strategies as st
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import predict_pb2

from components.errors import UserError
from pipeline.client.connect import connect
from pipeline.client.recommender import Recommendations, Recommender
from pipeline.client.transport import Connection
from tests.fuzz.budget import budget

TIMEOUT = 0.4
RIGHT = {"outputs": {"item_ids": [["a", "b"]], "scores": [[0.5, 0.25]]}}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["outputs", "item_ids", "scores", "error", "model_version_status", "version", "state", "x"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
BODIES = st.one_of(
    st.just(json.dumps(RIGHT).encode()),
    JSON.map(lambda content: json.dumps(content).encode()),
    st.builds(
        lambda items, scores: json.dumps({"outputs": {"item_ids": items, "scores": scores}}).encode(), JSON, JSON
    ),
    st.sampled_from([b"-2", b"[" * 100_000, b"", b"<html>Log in</html>", b"null", b'{"outputs": ', b"\xff\xfe"]),
    st.binary(max_size=30),
)
HEADERS = st.lists(
    st.sampled_from(
        [
            *("Content-Encoding: gzip", "Content-Type: text/html", "Location: /login", "Location: http://127.0.0.1:1/"),
            *("Transfer-Encoding: chunked", "Content-Length: 5", "Content-Length: x", "Connection: close", "x"),
        ]
    ),
    max_size=2,
)
STATUSES = st.sampled_from([200, 200, 200, 204, 301, 302, 400, 401, 404, 500, 503])


class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline()
        length = 0
        while (header := self.rfile.readline().strip()) and line:
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
        self.rfile.read(length)
        self.wfile.write(self.server.answer)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    answer = b""

    def handle_error(self, request, client_address):
        pass


SERVER = _Server(("127.0.0.1", 0), _Handler)
threading.Thread(target=SERVER.serve_forever, daemon=True).start()
URL = f"http://127.0.0.1:{SERVER.server_address[1]}"


def http_answer(status, headers, body, with_length):
    lines = [f"HTTP/1.1 {status} X", *headers, *([f"Content-Length: {len(body)}"] if with_length else [])]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def check(action):
    answer, refusal = None, ""
    try:
        answer = action()
    except UserError as error:
        refusal = str(error)
    assert refusal.replace("\t", "").isprintable()
    assert refusal or isinstance(answer, list | Recommendations)


@budget
@given(STATUSES, HEADERS, BODIES, st.booleans())
@example(200, ["Transfer-Encoding: chunked"], b"-2", False)
@example(200, [], b"[" * 100_000, True)
def test_any_http_answer_is_understood_or_refused(status, headers, body, with_length):
    SERVER.answer = http_answer(status, headers, body, with_length)
    with Recommender.connect(URL, timeout=TIMEOUT) as recommender:
        check(lambda: recommender.recommend("u", ["i"], k=2))


@budget
@given(st.binary(max_size=80))
def test_any_bytes_of_an_http_server_are_refused(answer):
    SERVER.answer = answer
    with Recommender.connect(URL, timeout=TIMEOUT) as recommender:
        check(lambda: recommender.recommend("u", ["i"], k=2))


@budget
@given(STATUSES, BODIES)
def test_any_model_status_is_understood_or_refused(status, body):
    SERVER.answer = http_answer(status, [], body, with_length=True)
    transport = connect(Connection(URL, TIMEOUT))
    check(transport.statuses)
    transport.close()


class _Service(grpc.GenericRpcHandler):
    answer = b""

    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda request, context: self.answer)


SERVICE = _Service()


def _grpc_server():
    from concurrent import futures

    server = grpc.server(futures.ThreadPoolExecutor(2), handlers=[SERVICE])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


GRPC_SERVER, GRPC_PORT = _grpc_server()
TENSORS = st.builds(
    lambda dtype, shape, strings, floats: tensor_pb2.TensorProto(
        dtype=dtype,
        tensor_shape={"dim": [{"size": size} for size in shape]},
        string_val=strings,
        float_val=floats,
    ),
    st.sampled_from([0, 1, 1, 3, 7, 7, 7, 19]),
    st.lists(st.integers(-1, 2), max_size=3) | st.just([1, 2]),
    st.lists(st.binary(max_size=3), max_size=2),
    st.lists(st.floats(width=32), max_size=2),
)
MESSAGES = st.one_of(
    st.dictionaries(st.sampled_from(["item_ids", "scores", "x"]), TENSORS, max_size=3).map(
        lambda outputs: predict_pb2.PredictResponse(outputs=outputs).SerializeToString()
    ),
    st.binary(max_size=30),
)


@budget
@given(MESSAGES)
def test_any_grpc_answer_is_understood_or_refused(message):
    SERVICE.answer = message
    with Recommender.connect(f"grpc://127.0.0.1:{GRPC_PORT}", timeout=TIMEOUT) as recommender:
        check(lambda: recommender.recommend("u", ["i"], k=2))
