"""Retries, deadlines and messages of both clients, against tiny servers that fail on purpose.

They stand in for what goes wrong on the way; nothing here says that TF Serving answers.
"""

import json
import threading
import time
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import pytest
import tensorflow as tf
from click.testing import CliRunner
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from components.errors import UserError
from pipeline.cli.main import main
from pipeline.client.recommender import Recommender

ANSWER = {"item_ids": [["a", "b"]], "scores": [[2.0, 1.0]]}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, body, self.headers.get("Authorization")))
        status, answer = self.server.answers.pop(0) if self.server.answers else (200, {"outputs": ANSWER})
        body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def http():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.answers, server.requests = [], []
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


class _Predictions(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self):
        self.failures, self.requests = [], []

    def Predict(self, request, context):  # noqa: N802 -- named by gRPC
        self.requests.append((request, dict(context.invocation_metadata())))
        if self.failures:
            context.abort(*self.failures.pop(0))
        response = predict_pb2.PredictResponse()
        response.model_spec.version.value = 7
        for name, rows in ANSWER.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(rows))
        return response


@pytest.fixture
def rpc():
    server, service = grpc.server(futures.ThreadPoolExecutor(2)), _Predictions()
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    service.url = f"grpc://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield service
    server.stop(None)


def test_rest_retries_an_overloaded_server(http):
    http.answers = [(503, "overloaded"), (429, {"error": "slower"})]
    with Recommender.connect(http.url) as recommender:
        assert recommender.recommend("u", ["h"], k=2).item_ids == ["a", "b"]
    assert len(http.requests) == 3


def test_grpc_retries_an_overloaded_server(rpc):
    rpc.failures = [(grpc.StatusCode.RESOURCE_EXHAUSTED, "no threads"), (grpc.StatusCode.UNAVAILABLE, "restarting")]
    with Recommender.connect(rpc.url) as recommender:
        answer = recommender.recommend("u", ["h"], k=1)
    assert (answer.item_ids, answer.scores, answer.version) == (["a"], [2.0], "7")
    assert len(rpc.requests) == 3


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_unreachable_server_is_an_error_at_the_deadline(scheme):
    started = time.monotonic()
    with (
        Recommender.connect(f"{scheme}://127.0.0.1:9", timeout=1) as recommender,
        pytest.raises(UserError, match=r"No response from .*127.0.0.1:9 within 1 s .*Hint: "),
    ):
        recommender.recommend("u")
    assert time.monotonic() - started < 5  # a busy machine


def test_refused_request_is_not_retried(http, rpc):
    http.answers = [(404, {"error": "Servable not found for request: Latest(caser)"})]
    with (
        Recommender.connect(http.url) as recommender,
        pytest.raises(UserError, match=r"HTTP 404\): Servable not found"),
    ):
        recommender.recommend("u")
    rpc.failures = [(grpc.StatusCode.NOT_FOUND, "Servable not found")]
    with (
        Recommender.connect(rpc.url) as recommender,
        pytest.raises(UserError, match="refused the request: NOT_FOUND: Servable not found"),
    ):
        recommender.recommend("u")
    assert (len(http.requests), len(rpc.requests)) == (1, 1)


def test_response_that_is_no_json_is_quoted(http):
    http.answers = [(500, "<html>proxy</html>")]
    with Recommender.connect(http.url) as recommender, pytest.raises(UserError, match=r"HTTP 500.*<html>proxy"):
        recommender.recommend("u")


def test_requests_carry_the_token_with_the_label(http, rpc):
    for url in (http.url, rpc.url):
        with Recommender.connect(url, token="secret", label="stable") as recommender:
            recommender.recommend("u", k=1)
    assert http.requests[0][0] == "/v1/models/caser/labels/stable:predict"
    assert http.requests[0][2] == "Bearer secret"
    request, metadata = rpc.requests[0]
    assert request.model_spec.version_label == "stable"
    assert metadata["authorization"] == "Bearer secret"


def test_lists_are_sent_padded_to_one_width(http):
    with Recommender.connect(http.url) as recommender:
        recommender.recommend("u", ["h", "i"], k=1)
    (_, body, _) = http.requests[0]
    assert body["inputs"] == {"user_id": ["u"], "recent_item_ids": [["h", "i"]], "exclude_item_ids": [[""]]}


def test_recommend_queries_a_server(http):
    arguments = ["recommend", "--user", "u", "--json", "-k", "2", "--server"]
    assert json.loads(CliRunner().invoke(main, [*arguments, http.url]).output)["item_ids"] == ["a", "b"]


def test_server_url_without_a_scheme_is_one_message():
    wrong = CliRunner().invoke(main, ["recommend", "--user", "u", "--server", "localhost:8501"])
    assert wrong.exit_code == 2
    assert "use http://HOST:8501" in wrong.output
