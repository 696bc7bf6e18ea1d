"""`caser push`: its steps, and what prevents them."""

import json

import pytest
from click.testing import CliRunner

from components.errors import UserError
from components.export.golden import Golden, golden_requests, write_golden
from components.export.signatures import Predictions
from components.pusher import push as push_module
from pipeline.cli.main import main
from pipeline.client.transport import Connection, VersionStatus
from pipeline.deployment import push as module
from pipeline.deployment.push import push
from tests.support.served_labels import write_config

GOLDEN = Golden(
    golden_requests(["u"], ["a", "b"]), Predictions([["b"], ["a"], ["a"], [""]], [[1.0], [1.0], [1.0], [-1.0]])
)


@pytest.fixture
def model(tmp_path, monkeypatch):
    """Files only: verification has its own tests."""
    monkeypatch.setattr(push_module, "verify_in_subprocess", lambda folder, allow_no_warmup: None)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "saved_model.pb").write_text("a graph")
    write_golden(str(folder), GOLDEN)
    return folder


@pytest.fixture
def server(model, tmp_path, monkeypatch):
    """Replaces the transport by one to a server that has loaded all versions and returns given predictions."""

    def returning(predictions):
        class Transport:
            def statuses(self):
                folders = (tmp_path / "caser").iterdir()
                return [VersionStatus(int(folder.name), "AVAILABLE", "") for folder in folders]

            def predict(self, requests, version=None, candidates=None):
                return predictions, str(version)

            def close(self):
                pass

        monkeypatch.setattr(module, "connect", lambda connection: Transport())

    return returning


def test_push_without_a_server_publishes_the_files(model, tmp_path):
    done = CliRunner().invoke(main, ["push", "--model", str(model), "--to", str(tmp_path / "caser")])
    assert done.exit_code == 0, done.output
    (version,) = (tmp_path / "caser").iterdir()
    assert f"{version} published" in done.output
    assert json.loads((version / "assets.extra" / "model.json").read_text()) == {"version": int(version.name)}


def test_push_with_a_server_reports_until_the_golden_request_passes(model, server, tmp_path):
    server(GOLDEN.predictions)
    steps = list(push(model, str(tmp_path / "caser"), 3, [Connection("grpc://127.0.0.1:1")], 1))
    assert [line.split(" ")[1] for line in steps] == ["published", "has", "passed"]


def test_push_reports_a_server_with_other_predictions(model, server, tmp_path):
    server(GOLDEN.predictions._replace(scores=[[9.0], [1.0], [1.0], [-1.0]]))
    with pytest.raises(UserError, match=r"has loaded version .* score 9, expected 1"):
        list(push(model, str(tmp_path / "caser"), 3, [Connection("grpc://127.0.0.1:1")], 1))


def test_push_to_servers_with_labels_names_the_promotion(model, server, tmp_path):
    (tmp_path / "caser" / "3").mkdir(parents=True)
    write_config(tmp_path, {"stable": 3})
    servers = [Connection("grpc://127.0.0.1:1"), Connection("http://127.0.0.1:2")]  # promote takes gRPC only
    published, told = push(model, str(tmp_path / "caser"), 3, servers, 1)
    version = published.split("/")[-1].split(" ")[0]
    assert told == (
        f"no label points to version {version} yet, so servers do not load it; promote it with caser promote {version} "
        f"--model {tmp_path / 'caser'} --server grpc://127.0.0.1:1"
    )
