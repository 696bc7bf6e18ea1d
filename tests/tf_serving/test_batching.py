"""Concurrent requests of different width behind a server that merges them, with each setting of its batching."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest

from components.errors import UserError
from components.export.signatures import PredictRequests
from pipeline.client.recommender import Query, Recommender
from pipeline.client.transport import Connection
from tests.support import small_servable
from tests.support.documentation import ROOT
from tests.support.rest_rows import ColumnTransport, RowTransport
from tests.tf_serving.conftest import RUNNING, started, with_versions

pytestmark = [
    pytest.mark.xdist_group("tf_serving"),
    pytest.mark.skipif(all(os.environ.get(name) for name in RUNNING), reason="needs servers with flags of their own"),
]

WIDTHS = (1, 3, 5, 12)
CLIENTS = 16
COMPONENT = ROOT / "kubeflow" / "serving" / "components" / "batching" / "batching.config"
REQUESTS = 480
MANY_REQUESTS = 20_000


@pytest.fixture(scope="module")
def random_model(tmp_path_factory):
    """Its answers depend on each item of a history and on their order."""
    return small_servable.save(tmp_path_factory.mktemp("random") / "model", seed=1)


@pytest.fixture(scope="module", params=["component", "padding"])
def batching_server(request, random_model, tmp_path_factory):
    """With the parameters of the manifests, and with the padding that they leave out."""
    parameters = tmp_path_factory.mktemp("batching") / "batching.config"
    text = COMPONENT.read_text()
    parameters.write_text(text + ("pad_variable_length_inputs: true\n" if request.param == "padding" else ""))
    folder = with_versions(tmp_path_factory.mktemp("serving"), random_model)
    with started(folder, "--enable_batching=true", f"--batching_parameters_file={parameters}") as server:
        yield server


def query(rng):
    """One to three users; the answer depends on every item of the history."""
    history = [f"i{number}" for number in rng.choice(8, size=int(rng.choice(WIDTHS)) % 8, replace=False)]
    return Query("u0", history * (2 if rng.random() < 0.2 else 1), [])


def wrong_answers(make, expected, requests):
    """Asks concurrently; returns wrong answers and refusals."""
    wrong, refused = [], []

    def ask(seed):
        rng, transport = np.random.default_rng(seed), make()
        for _ in range(requests // CLIENTS):
            queries = [query(rng) for _ in range(int(rng.integers(1, 3)))]
            try:
                actual = transport(queries)
            except UserError as error:
                refused.append(str(error))
                continue
            for asked, items in zip(queries, actual, strict=True):
                if items != expected(asked):
                    wrong.append((asked, items))

    askers = [threading.Thread(target=ask, args=(seed,)) for seed in range(CLIENTS)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    return wrong, refused


@pytest.fixture(scope="module")
def expected(random_model):
    with Recommender.load(random_model) as recommender:
        known = {}

        def answer(asked):
            key = (*asked.recent,)
            if key not in known:
                known[key] = recommender.recommend_many([asked], k=5)[0].item_ids
            return known[key]

        yield answer


def client(url):
    recommender = Recommender.connect(url)
    return lambda queries: [part.item_ids for part in recommender.recommend_many(queries, k=5)]


def plain(kind, url, begin):
    """A client that pads lists to equal width, as the documentation shows, or without the "" that begins them."""
    transport = kind(Connection(url))

    def ask(queries):
        width = max(1, *(len(part.recent) for part in queries))
        rows = [[*begin, *part.recent, *[""] * (width - len(part.recent))] for part in queries]
        requests = PredictRequests([part.user for part in queries], rows, [[""]] * len(queries))
        try:
            predictions, _ = transport.predict(requests)
        except KeyError as error:
            raise UserError(f"refused: {error}") from None
        return [[item for item in items if item] for items in predictions.item_ids]

    return ask


@pytest.mark.parametrize("api", ["rest", "grpc"])
def test_client_gets_right_answers_for_mixed_widths(batching_server, expected, api):
    wrong, refused = wrong_answers(lambda: client(getattr(batching_server, api)), expected, REQUESTS)
    assert not wrong, wrong[:3]
    assert not refused, refused[:3]


@pytest.mark.long
@pytest.mark.parametrize("api", ["rest", "grpc"])
def test_client_gets_right_answers_for_many_mixed_widths(batching_server, expected, api):
    wrong, refused = wrong_answers(lambda: client(getattr(batching_server, api)), expected, MANY_REQUESTS)
    assert not wrong, wrong[:3]
    assert not refused, refused[:3]


@pytest.mark.parametrize("begin", [[""], []], ids=["documented", "undocumented"])
@pytest.mark.parametrize("kind", [RowTransport, ColumnTransport])
def test_plain_request_is_right_or_refused(batching_server, expected, kind, begin):
    wrong, _ = wrong_answers(lambda: plain(kind, batching_server.rest, begin), expected, REQUESTS // 2)
    assert not wrong, wrong[:3]


@pytest.mark.parametrize("api", ["rest", "grpc"])
def test_request_with_more_users_than_a_batch_may_have_works(batching_server, expected, api):
    rng = np.random.default_rng(0)
    queries = [query(rng) for _ in range(200)]
    assert client(getattr(batching_server, api))(queries) == [expected(asked) for asked in queries]


def test_server_without_splitting_gets_requests_in_parts(random_model, tmp_path, expected):
    (tmp_path / "batching.config").write_text("max_batch_size { value: 16 }\nbatch_timeout_micros { value: 0 }\n")
    folder = with_versions(tmp_path / "serving", random_model)
    rng = np.random.default_rng(0)
    queries = [query(rng) for _ in range(50)]
    flags = ("--enable_batching=true", f"--batching_parameters_file={tmp_path / 'batching.config'}")
    with started(folder, *flags) as server:
        for url in (server.rest, server.grpc):
            assert client(url)(queries) == [expected(asked) for asked in queries]
