"""Promote and rollback: the order of calls, and labels after a failure."""

import pytest
from click.testing import CliRunner

from components.errors import UserError
from components.pusher.models_config import models_config, read_labels, to_text
from pipeline.cli.main import main
from pipeline.client.transport import Connection, VersionStatus
from pipeline.deployment import labels
from pipeline.deployment.labels import promote, version_before

SERVER = Connection("grpc://host:8500")


@pytest.fixture
def model_dir(tmp_path):
    for version in (3, 5, 7):
        (tmp_path / "caser" / str(version)).mkdir(parents=True)
    return str(tmp_path / "caser")


@pytest.fixture
def sent(monkeypatch):
    """Calls to a server, in order; it has loaded everything that it was configured to load."""
    calls = []

    class Recorded:
        def __init__(self, connection):
            self.loaded = []

        def reload(self, config):
            (model,) = config.model_config_list.config
            self.loaded = list(model.model_version_policy.specific.versions)
            calls.append(("load", self.loaded, dict(model.version_labels)))

        def statuses(self):
            calls.append(("state",))
            return [VersionStatus(version, "END" if version == 3 else "AVAILABLE", "bad") for version in self.loaded]

        def close(self):
            pass

    monkeypatch.setattr(labels, "GrpcTransport", Recorded)
    return calls


def test_promote_labels_a_version_only_when_available(model_dir, sent, tmp_path):
    (tmp_path / "models.config").write_text(to_text(models_config("/models/caser", {"stable": 5})))
    list(promote(model_dir, 7, "canary", [SERVER], "/models/caser", 1))
    assert sent == [
        ("load", [5, 7], {"stable": 5}),
        ("state",),
        ("load", [5, 7], {"canary": 7, "stable": 5}),
    ]
    assert read_labels(str(tmp_path / "models.config")) == {"canary": 7, "stable": 5}


def test_first_label_keeps_the_newest_version_loaded_until_it_moves(model_dir, sent):
    list(promote(model_dir, 5, "stable", [SERVER], "/models/caser", 1))
    assert sent[0] == ("load", [5, 7], {})
    assert sent[-1] == ("load", [5], {"stable": 5})


def test_version_that_fails_to_load_leaves_labels_unchanged(model_dir, sent, tmp_path):
    (tmp_path / "models.config").write_text(to_text(models_config("/models/caser", {"stable": 5})))
    with pytest.raises(UserError, match="could not load version 3: bad"):
        list(promote(model_dir, 3, "stable", [SERVER], "/models/caser", 1))
    assert read_labels(str(tmp_path / "models.config")) == {"stable": 5}
    assert all(call[2] == {"stable": 5} for call in sent if call[0] == "load")


def test_rollback_returns_the_version_before_the_labelled_one(model_dir, tmp_path):
    assert version_before(model_dir, "stable") == 5
    (tmp_path / "models.config").write_text(to_text(models_config("/models/caser", {"stable": 5})))
    assert version_before(model_dir, "stable") == 3
    (tmp_path / "models.config").write_text(to_text(models_config("/models/caser", {"stable": 3})))
    with pytest.raises(UserError, match="no version before 3"):
        version_before(model_dir, "stable")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["promote", "4", "--server", "grpc://h:1"], "Version 4 does not exist"),
        (["promote", "5", "--server", "http://h:1"], "Labels need gRPC"),
    ],
)
def test_invalid_promote_is_one_message(model_dir, arguments, message):
    result = CliRunner().invoke(main, [*arguments, "--model", model_dir])
    assert result.exit_code == 2
    assert message in result.output


def test_versions_lists_labels(model_dir, tmp_path):
    (tmp_path / "models.config").write_text(to_text(models_config("/models/caser", {"stable": 5, "canary": 7})))
    result = CliRunner().invoke(main, ["versions", "--model", model_dir])
    assert [line.split() for line in result.output.splitlines()] == [["3"], ["5", "stable"], ["7", "canary"]]
