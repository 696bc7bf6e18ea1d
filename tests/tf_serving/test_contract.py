"""What TF Serving does with our models and commands."""

from __future__ import annotations

import shutil
import statistics
import threading
import time
from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from components.errors import UserError
from components.export.golden import golden_mismatch, read_golden
from components.export.signatures import PredictRequests
from components.export.warmup import WARMUP_FILE
from components.pusher.models_config import config_path
from components.pusher.version_dirs import publish, versions
from pipeline.client.connect import connect
from pipeline.client.grpc_transport import GrpcTransport
from pipeline.client.recommender import Query, Recommender
from pipeline.client.retries import TransientError
from pipeline.client.transport import Connection
from pipeline.deployment.labels import promote, rollback
from pipeline.deployment.push import push
from pipeline.deployment.rollout import Rollout
from tests.support.rest_rows import ColumnTransport, RowTransport
from tests.tf_serving.conftest import POLL_SECONDS, unlabelled

pytestmark = pytest.mark.xdist_group("tf_serving")

QUERIES = [Query("u0", ["i1", "i2"]), Query("nobody"), Query("u2", ["i3"], ["i4"])]


def put(server, folder):
    version = publish(folder, str(server.model_dir), lambda staged, version: None)
    server.wait(version)
    return version


@pytest.fixture
def served(server, models):
    """The version of the model that likes i5, as the newest; without labels before and after."""

    def without_labels():
        text = unlabelled(server.base_path)
        Path(config_path(str(server.model_dir))).write_text(text)
        transport = GrpcTransport(Connection(server.grpc))
        transport.reload(text_format.Parse(text, model_server_config_pb2.ModelServerConfig()))
        transport.close()

    without_labels()
    yield put(server, models["i5"])
    without_labels()


def transports(server):
    return {
        "rest": connect(Connection(server.rest)),
        "column": ColumnTransport(Connection(server.rest)),
        "row": RowTransport(Connection(server.rest)),
        "grpc": connect(Connection(server.grpc)),
    }


def test_every_transport_gives_the_predictions_of_the_model_in_process(server, served, models):
    with Recommender.load(models["i5"]) as recommender:
        expected = recommender.recommend_many(QUERIES, k=5)
    for name, transport in transports(server).items():
        with Recommender(transport) as recommender:
            answers = recommender.recommend_many(QUERIES, k=5)
        for answer, other in zip(answers, expected, strict=True):
            assert answer.item_ids == other.item_ids, name
            assert answer.scores == pytest.approx(other.scores, rel=1e-4, abs=1e-5), name


def test_every_transport_finds_the_similar_items_of_the_model_in_process(server, served, models):
    with Recommender.load(models["i5"]) as recommender:
        expected = recommender.similar("i2", k=3)
    for url in (server.rest, server.grpc):
        with Recommender.connect(url) as recommender:
            answer = recommender.similar("i2", k=3)
            assert answer.item_ids == expected.item_ids
            assert answer.scores == pytest.approx(expected.scores, rel=1e-4, abs=1e-5)
            with pytest.raises(UserError, match="does not know the item 'stranger'"):
                recommender.similar("stranger")


def test_golden_request_passes_over_every_transport(server, served, models):
    golden = read_golden(models["i5"])
    for transport in transports(server).values():
        predictions, _ = transport.predict(golden.requests)
        assert golden_mismatch(golden, predictions) is None


def test_push_reports_until_the_server_serves(server, served, models):
    said = list(push(Path(models["i6"]), str(server.model_dir), 9, [Connection(server.grpc)], 120))
    assert "AVAILABLE" in said[1]
    assert "golden request" in said[2]


def test_first_request_after_a_swap_is_fast(server, served, models):
    with Recommender.connect(server.grpc) as recommender:
        recommender.recommend("u0", k=5)
        put(server, models["i6"])
        seconds = []
        for _ in range(50):
            started = time.perf_counter()
            recommender.recommend("u0", ["i1", "i2"], k=5)
            seconds.append(time.perf_counter() - started)
    # Without the warm-up file the first one takes some 50 times as long.
    assert seconds[0] < max(10 * statistics.median(seconds), 0.1)


def test_requests_succeed_during_version_swaps(server, served, models, monkeypatch):
    # Without retries, which would hide failures.
    def once(attempt, timeout, server):
        try:
            return attempt(timeout)
        except TransientError as error:
            raise UserError(str(error)) from error

    monkeypatch.setattr("pipeline.client.rest_transport.with_retries", once)
    monkeypatch.setattr("pipeline.client.grpc_transport.with_retries", once)
    failures, answered, stop = [], [], threading.Event()

    def ask(url):
        with Recommender.connect(url) as recommender:
            while not stop.is_set():
                try:
                    answered.append(recommender.recommend("u0", ["i1"], k=1).item_ids[0])
                except UserError as error:
                    failures.append(str(error))

    askers = [threading.Thread(target=ask, args=(url,)) for url in (server.rest, server.grpc) * 4]
    for asker in askers:
        asker.start()
    try:
        for name in ("i6", "i7", "i5"):
            put(server, models[name])
            time.sleep(0.5)
    finally:
        stop.set()
        for asker in askers:
            asker.join()
    assert not failures, failures[:3]
    assert {"i5", "i6", "i7"} <= set(answered)


@pytest.mark.parametrize("how", ["cut off", "without its graph"])
def test_broken_version_leaves_the_old_one_serving(server, served, models, how, tmp_path):
    broken = shutil.copytree(models["i6"], tmp_path / "model")
    graph = broken / "saved_model.pb"
    if how == "cut off":
        graph.write_bytes(graph.read_bytes()[:100])
    else:
        graph.unlink()
    number = versions(str(server.model_dir))[-1] + 1
    # Around our own verification, as somebody does who copies by hand.
    shutil.copytree(broken, server.model_dir / str(number))
    try:
        time.sleep(2)
        for transport in transports(server).values():
            with Recommender(transport) as recommender:
                assert recommender.recommend("u0", ["i1"], k=1).item_ids == ["i5"]
    finally:
        shutil.rmtree(server.model_dir / str(number))


def favourites(server, label=None):
    """The favourite items of the versions that answer over REST and over gRPC."""
    actual = set()
    for url in (server.rest, server.grpc):
        with Recommender.connect(url, label=label) as recommender:
            actual.add(recommender.recommend("u0", ["i1"], k=1).item_ids[0])
    return actual


def likes(server, label=None):
    """The favourite item of the version that answers over REST and gRPC."""
    (item,) = favourites(server, label)
    return item


def rollout(server, **changes):
    servers = [Connection(server.grpc)]
    named = Rollout(str(server.model_dir), servers, server.base_path, 120, 0, lambda line: None)
    return named._replace(**changes)


PREDICT = PredictRequests(["u0"], [["i1"]], [[""]])


def test_rollback_restores_the_former_predictions(server, served, models):
    newer = put(server, models["i6"])
    promote(rollout(server), served)
    promote(rollout(server), newer, "canary")
    assert (likes(server, "stable"), likes(server, "canary")) == ("i5", "i6")
    promote(rollout(server), newer)
    assert likes(server, "stable") == "i6"
    rollback(rollout(server))
    assert likes(server, "stable") == "i5"
    # The file says the same, so that polls change nothing.
    time.sleep(2 * POLL_SECONDS)
    assert (likes(server, "stable"), likes(server, "canary")) == ("i5", "i6")


def test_client_without_a_label_gets_the_stable_version_beside_a_canary(server, served, models):
    newer = put(server, models["i6"])
    promote(rollout(server), served)
    promote(rollout(server), newer, "canary")
    assert likes(server) == "i5"


def test_server_that_is_not_named_follows_models_config(server, served, models):
    newer = put(server, models["i6"])
    promote(rollout(server), served)
    promote(rollout(server, servers=[], load_timeout=2, poll_interval=POLL_SECONDS), newer)
    deadline = time.monotonic() + 30
    # The label may move between both requests.
    while favourites(server, "stable") != {"i6"}:
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_promotion_leaves_other_models_as_they_are(server, served, models):
    promote(rollout(server), served)
    config = text_format.Parse(
        Path(config_path(str(server.model_dir))).read_text(), model_server_config_pb2.ModelServerConfig()
    )
    expected = text_format.Parse(unlabelled(server.base_path), model_server_config_pb2.ModelServerConfig())
    assert config.model_config_list.config[1] == expected.model_config_list.config[1]
    for url in (server.rest, server.grpc):
        transport = connect(Connection(url, model="other", label="prod"))
        transport.predict(PREDICT)
        transport.close()


def test_version_that_cannot_be_loaded_is_not_promoted(server, served, models):
    promote(rollout(server), served)
    before = Path(config_path(str(server.model_dir))).read_text()
    number = versions(str(server.model_dir))[-1] + 1
    folder = shutil.copytree(models["i6"], server.model_dir / str(number))
    warmup = folder / WARMUP_FILE
    warmup.write_bytes(warmup.read_bytes()[:-10])
    try:
        with pytest.raises(UserError, match="No label was moved"):
            promote(rollout(server, load_timeout=10), number)
        assert Path(config_path(str(server.model_dir))).read_text() == before
        time.sleep(2 * POLL_SECONDS)
        assert likes(server, "stable") == "i5"
    finally:
        shutil.rmtree(folder)


def test_interrupted_promotion_leaves_everything_as_it_was(server, served, models):
    newer = put(server, models["i6"])
    promote(rollout(server), served)
    before = Path(config_path(str(server.model_dir))).read_text()

    def interrupt(line):
        if "AVAILABLE" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        promote(rollout(server, say=interrupt), newer)
    assert Path(config_path(str(server.model_dir))).read_text() == before
    assert likes(server) == "i5"


def test_push_to_a_server_with_labels_names_the_promotion(server, served, models):
    promote(rollout(server), served)
    said = list(push(Path(models["i7"]), str(server.model_dir), 9, [Connection(server.grpc)], 5))
    assert "promote it with caser promote" in said[-1]
    assert likes(server) == "i5"
