"""Retries, deadlines and messages of both clients, against tiny servers that fail on purpose.

They stand in for what goes wrong on the way; nothing here says that TF Serving answers.
"""

import base64
import json
import time
from concurrent import futures

import grpc
import pytest
import tensorflow as tf
from click.testing import CliRunner
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from components.errors import UserError
from components.export.encoding import encoded_examples
from components.export.signatures import PredictRequests
from pipeline.cli.main import main
from pipeline.client.recommender import Query, Recommender
from tests.support.http_server import serving

ANSWER = {"item_ids": [["a", "b"]], "scores": [[2.0, 1.0]]}


class Http:
    """Gives the next of `answers`, and the usual one after them; `requests` are path, body and authorization."""

    def __init__(self):
        self.answers, self.requests = [], []

    def __call__(self, request):
        self.requests.append((request.path, request.json, request.authorization))
        rows = len(request.json["inputs"]["examples"])
        outputs = {name: value * rows for name, value in ANSWER.items()}
        return self.answers.pop(0) if self.answers else (200, {"outputs": outputs})


@pytest.fixture
def http():
    server = Http()
    with serving(server) as server.url:
        yield server


class _Predictions(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self):
        self.failures, self.requests, self.answer = [], [], ANSWER

    def Predict(self, request, context):  # noqa: N802 -- named by gRPC
        self.requests.append((request, dict(context.invocation_metadata())))
        if self.failures:
            context.abort(*self.failures.pop(0))
        response = predict_pb2.PredictResponse()
        rows = len(request.inputs["examples"].string_val)
        response.model_spec.version.value = 7
        for name, value in self.answer.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(value * (rows // len(value))))
        return response


def serve_predictions():
    server, service = grpc.server(futures.ThreadPoolExecutor(2)), _Predictions()
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    service.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    service.url = f"grpc://{service.address}"
    server.start()
    return server, service


@pytest.fixture
def rpc():
    server, service = serve_predictions()
    yield service
    server.stop(None)


def test_grpc_client_spreads_requests_over_the_addresses_of_a_name(rpc):
    server, other = serve_predictions()
    with Recommender.connect(f"grpc://ipv4:{rpc.address},{other.address}") as recommender:
        for _ in range(20):
            recommender.recommend("u", k=1)
    server.stop(None)
    assert min(len(rpc.requests), len(other.requests)) >= 5


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
        Recommender.connect(http.url, label="canary") as recommender,
        pytest.raises(UserError, match=r"HTTP 404\): Servable not found"),
    ):
        recommender.recommend("u")
    rpc.failures = [(grpc.StatusCode.NOT_FOUND, "Servable not found")]
    with (
        Recommender.connect(rpc.url, label="canary") as recommender,
        pytest.raises(UserError, match="refused the request: NOT_FOUND: Servable not found"),
    ):
        recommender.recommend("u")
    assert (len(http.requests), len(rpc.requests)) == (1, 1)


REFUSED = "Unrecognized servable version label: stable"


def test_rest_client_asks_for_stable_first_and_remembers_a_refusal(http):
    http.answers = [(400, {"error": REFUSED})]
    with Recommender.connect(http.url) as recommender:
        for _ in range(3):
            recommender.recommend("u", k=1)
    paths = [path for path, _, _ in http.requests]
    plain = "/v1/models/caser:predict"
    assert paths == ["/v1/models/caser/labels/stable:predict", plain, plain, plain]


def test_grpc_client_asks_for_stable_first_and_remembers_a_refusal(rpc):
    rpc.failures = [(grpc.StatusCode.INVALID_ARGUMENT, REFUSED)]
    with Recommender.connect(rpc.url) as recommender:
        for _ in range(3):
            recommender.recommend("u", k=1)
    assert [request.model_spec.version_label for request, _ in rpc.requests] == ["stable", "", "", ""]


def test_client_asks_for_stable_again_after_a_minute(http, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("pipeline.client.labels.time.monotonic", lambda: now[0])
    http.answers = [(400, {"error": REFUSED})]
    with Recommender.connect(http.url) as recommender:
        recommender.recommend("u", k=1)
        now[0] += 61
        recommender.recommend("u", k=1)
    assert [path.count("labels") for path, _, _ in http.requests] == [1, 0, 1]


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_server_that_does_not_answer_is_not_asked_again_without_a_label(scheme, monkeypatch):
    deadlines = []

    def expired(attempt, timeout, server):
        deadlines.append(timeout)
        raise UserError(f"No response from {server}")

    monkeypatch.setattr("pipeline.client.rest_transport.with_retries", expired)
    monkeypatch.setattr("pipeline.client.grpc_transport.with_retries", expired)
    with Recommender.connect(f"{scheme}://127.0.0.1:9") as recommender, pytest.raises(UserError):
        recommender.recommend("u")
    assert len(deadlines) == 1


def test_refusal_with_and_without_a_label_is_the_latter(http):
    http.answers = [(400, {"error": REFUSED}), (404, {"error": "Servable not found"})]
    with Recommender.connect(http.url) as recommender, pytest.raises(UserError, match="Servable not found"):
        recommender.recommend("u")


def test_response_that_is_no_json_is_quoted(http):
    http.answers = [(500, "<html>proxy</html>")]
    with (
        Recommender.connect(http.url, label="canary") as recommender,
        pytest.raises(UserError, match=r"HTTP 500.*<html>proxy"),
    ):
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


def test_users_are_sent_as_examples(http, rpc):
    for url in (http.url, rpc.url):
        with Recommender.connect(url) as recommender:
            recommender.recommend_many([Query("u", ["h", "i"]), Query("v", exclude=["x"])], k=1)
    (_, body, _) = http.requests[0]
    assert body["signature_name"] == "serve_tf_example"
    sent = [base64.b64decode(example["b64"]) for example in body["inputs"]["examples"]]
    (request, _) = rpc.requests[0]
    assert request.model_spec.signature_name == "serve_tf_example"
    assert sent == list(request.inputs["examples"].string_val)
    assert sent == encoded_examples(PredictRequests(["u", "v"], [["h", "i"], []], [[], ["x"]]))


def test_excluded_item_in_an_answer_is_an_error(http):
    with (
        Recommender.connect(http.url) as recommender,
        pytest.raises(UserError, match=r"recommends excluded items \(a\)"),
    ):
        recommender.recommend("u", exclude=["a"], k=1)


def test_negative_zero_is_zero(http):
    http.answers = [(200, {"outputs": {"item_ids": [["a", "b"]], "scores": [[-0.0, -1.0]]}})]
    with Recommender.connect(http.url) as recommender:
        assert str(recommender.recommend("u", k=1).scores) == "[0.0]"


def test_answer_above_four_megabytes_arrives_over_grpc(rpc):
    rpc.answer = {"item_ids": [["item" * 20] * 100] * 700, "scores": [[0.5] * 100] * 700}
    with Recommender.connect(rpc.url) as recommender:
        assert len(recommender.recommend_many([Query("u")] * 700, k=100)) == 700


def test_too_large_grpc_message_is_not_retried(rpc):
    rpc.failures = [(grpc.StatusCode.RESOURCE_EXHAUSTED, "SERVER: Received message larger than max (9 vs. 4)")]
    with (
        Recommender.connect(rpc.url, label="canary") as recommender,
        pytest.raises(UserError, match=r"a message is too large: .*Hint: send fewer users"),
    ):
        recommender.recommend("u")


@pytest.mark.parametrize("scheme", ["https", "grpcs"])
def test_tls_to_a_plain_port_is_named(http, rpc, scheme):
    url = {"https": http.url.replace("http:", "https:"), "grpcs": rpc.url.replace("grpc:", "grpcs:")}[scheme]
    started = time.monotonic()
    with (
        Recommender.connect(url, timeout=30) as recommender,
        pytest.raises(UserError, match=f"does not use TLS on this port. Hint: use {scheme[:-1]}://"),
    ):
        recommender.recommend("u")
    assert time.monotonic() - started < 20  # not at the deadline


@pytest.mark.parametrize("scheme", ["https", "grpcs"])
@pytest.mark.parametrize(
    ("content", "message"), [(None, "cannot be read: No such file"), ("nothing", "contains no certificate")]
)
def test_unusable_certificate_file_is_named(tmp_path, scheme, content, message):
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    with pytest.raises(UserError, match=f"ca.pem {message}"):
        Recommender.connect(f"{scheme}://127.0.0.1:1", ca=str(tmp_path / "ca.pem"))


def test_http_url_of_a_grpc_port_is_named(rpc):
    with (
        Recommender.connect(rpc.url.replace("grpc:", "http:"), timeout=10) as recommender,
        pytest.raises(UserError, match=r"the response is not HTTP. Hint: gRPC has its own port"),
    ):
        recommender.recommend("u")


def test_recommend_queries_a_server(http):
    arguments = ["recommend", "--user", "u", "--json", "-k", "2", "--server"]
    assert json.loads(CliRunner().invoke(main, [*arguments, http.url]).output)["item_ids"] == ["a", "b"]


def test_server_url_without_a_scheme_is_one_message():
    wrong = CliRunner().invoke(main, ["recommend", "--user", "u", "--server", "localhost:8501"])
    assert wrong.exit_code == 2
    assert "use http://HOST:8501" in wrong.output
