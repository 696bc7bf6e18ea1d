"""What a real TF Serving does with our models."""

from __future__ import annotations

import shutil
import statistics
import threading
import time
from pathlib import Path

import pytest

from components.errors import UserError
from components.export.golden import golden_mismatch, read_golden
from components.pusher.models_config import config_path, models_config, to_text
from components.pusher.version_dirs import publish, versions
from pipeline.client.connect import connect
from pipeline.client.grpc_transport import GrpcTransport
from pipeline.client.recommender import Query, Recommender
from pipeline.client.retries import TransientError
from pipeline.client.transport import Connection
from pipeline.deployment.labels import promote, version_before
from pipeline.deployment.push import push
from tests.support.rest_rows import RowTransport

QUERIES = [Query("u0", ["i1", "i2"]), Query("nobody"), Query("u2", ["i3"], ["i4"])]


def put(server, folder):
    version = publish(folder, str(server.model_dir), lambda staged, version: None)
    server.wait(version)
    return version


@pytest.fixture
def served(server, models):
    """The version of the model that likes i5, as the newest; without labels before and after."""

    def without_labels():
        transport = GrpcTransport(Connection(server.grpc))
        transport.reload(models_config(server.base_path, {}))
        Path(config_path(str(server.model_dir))).write_text(to_text(models_config(server.base_path, {})))
        transport.close()

    without_labels()
    yield put(server, models["i5"])
    without_labels()


def transports(server):
    return {
        "column": connect(Connection(server.rest)),
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
            time.sleep(1)
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
        time.sleep(5)
        for transport in transports(server).values():
            with Recommender(transport) as recommender:
                assert recommender.recommend("u0", ["i1"], k=1).item_ids == ["i5"]
    finally:
        shutil.rmtree(server.model_dir / str(number))


def test_rollback_restores_the_former_predictions(server, served, models):
    newer = put(server, models["i6"])
    common = ([Connection(server.grpc)], server.base_path, 120)
    list(promote(str(server.model_dir), served, "stable", *common))
    list(promote(str(server.model_dir), newer, "canary", *common))

    def likes(label):
        actual = set()
        for url in (server.rest, server.grpc):
            with Recommender.connect(url, label=label) as recommender:
                actual.add(recommender.recommend("u0", ["i1"], k=1).item_ids[0])
        return actual

    assert (likes("stable"), likes("canary")) == ({"i5"}, {"i6"})
    list(promote(str(server.model_dir), newer, "stable", *common))
    assert likes("stable") == {"i6"}
    list(promote(str(server.model_dir), version_before(str(server.model_dir), "stable"), "stable", *common))
    assert likes("stable") == {"i5"}
