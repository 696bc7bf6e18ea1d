"""Promote and rollback: the steps in file and requests, and what is left after a failure."""

import shutil

import pytest
from click.testing import CliRunner
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from components.errors import UserError
from components.files import exclusive_lock
from components.pusher.models_config import config_path, read_config, read_labels
from pipeline.cli.main import main
from pipeline.client.transport import Connection, VersionStatus
from pipeline.deployment.labels import promote, rollback
from pipeline.deployment.rollout import Rollout
from tests.support.served_labels import empty_version, write_config

SERVER = Connection("grpc://127.0.0.1:8500")


@pytest.fixture
def model_dir(tmp_path):
    for version in (3, 5, 7):
        empty_version(tmp_path / "caser", version)
    return str(tmp_path / "caser")


class Clock:
    def __init__(self):
        self.now = 0.0
        self.slept = []

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


class Server:
    """Records requests; it has loaded what it was told to load, except for version 3, which fails."""

    def __init__(self, path):
        self.path, self.calls, self.loaded, self.refused = path, [], [], None

    def __call__(self, connection):
        return self

    def reload(self, config):
        (model,) = config.model_config_list.config
        # File and request always agree.
        if self.path.exists():
            assert text_format.Parse(self.path.read_text(), model_server_config_pb2.ModelServerConfig()) == config
        self.loaded = list(model.model_version_policy.specific.versions)
        self.calls.append((self.loaded, dict(model.version_labels)))
        if self.refused == self.calls[-1]:
            raise UserError("refused")

    def statuses(self):
        return [VersionStatus(version, "END" if version == 3 else "AVAILABLE", "bad") for version in self.loaded]

    def close(self):
        self.calls.append("closed")


@pytest.fixture
def server(tmp_path):
    return Server(tmp_path / "models.config")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def rollout(model_dir, server, clock):
    said = []
    return Rollout(model_dir, [SERVER], None, 60, 30, said.append, server, clock)


def test_label_moves_only_after_its_version_is_available(rollout, server, clock, tmp_path):
    write_config(tmp_path, {"stable": 5})
    promote(rollout, 7, "canary")
    assert server.calls == [
        ([5, 7], {"stable": 5}),
        ([5, 7], {"canary": 7, "stable": 5}),
        ([5, 7], {"canary": 7, "stable": 5}),
        "closed",
    ]
    assert clock.slept == [30]  # a server that is not named has read the file
    assert read_labels(str(tmp_path / "models.config")) == {"canary": 7, "stable": 5}


def test_former_version_is_unloaded_only_after_the_label_has_moved(rollout, server, tmp_path):
    write_config(tmp_path, {"stable": 5})
    promote(rollout, 7)
    assert server.calls[:-1] == [([5, 7], {"stable": 5}), ([5, 7], {"stable": 7}), ([7], {"stable": 7})]


def test_version_that_is_labelled_already_moves_at_once(rollout, clock, tmp_path):
    write_config(tmp_path, {"stable": 5, "canary": 7})
    promote(rollout, 7)
    assert clock.slept == []


def test_without_named_servers_the_label_moves_after_load_timeout_and_poll(rollout, clock, tmp_path):
    promote(rollout._replace(servers=[]), 5)
    assert clock.slept == [90]
    assert read_labels(str(tmp_path / "models.config")) == {"stable": 5}


def test_first_label_keeps_the_newest_version_loaded_until_it_moves(rollout, server):
    promote(rollout, 5)
    assert server.calls[:-1] == [([5, 7], {}), ([5, 7], {"stable": 5}), ([5], {"stable": 5})]


def test_canary_without_a_stable_version_leaves_requests_without_a_label_alone(rollout, server):
    promote(rollout, 5, "canary")
    assert server.calls[-2] == ([5, 7], {"canary": 5})
    promote(rollout, 5, "blue")
    assert server.calls[-2] == ([5, 7], {"canary": 5, "blue": 5})
    rollback(rollout, "blue")
    promote(rollout, 5)
    assert server.calls[-2] == ([5], {"canary": 5, "stable": 5})
    rollback(rollout)
    assert server.calls[-2] == ([5, 7], {"canary": 5})


def test_version_that_was_pinned_without_a_label_stays_loaded(rollout, server, tmp_path):
    write_config(tmp_path, {"stable": 5}, also_load=[3])
    promote(rollout, 7)
    assert server.calls[-2] == ([3, 7], {"stable": 7})


def test_promotion_of_the_labelled_version_changes_nothing(rollout, server, tmp_path):
    write_config(tmp_path, {"stable": 5})
    promote(rollout, 5)
    assert server.calls == []


def test_version_that_fails_to_load_restores_file_and_servers(rollout, server, tmp_path):
    write_config(tmp_path, {"stable": 5})
    before = (tmp_path / "models.config").read_text()
    with pytest.raises(UserError, match=r"could not load version 3: bad\nNo label was moved: .* are as before"):
        promote(rollout, 3)
    assert (tmp_path / "models.config").read_text() == before
    assert server.calls[-2] == ([5], {"stable": 5})


def test_refused_label_restores_file_and_servers(rollout, server, tmp_path):
    write_config(tmp_path, {"stable": 5})
    before = (tmp_path / "models.config").read_text()
    server.refused = ([5, 7], {"stable": 7})
    with pytest.raises(UserError, match="refused\nNo label was moved"):
        promote(rollout, 7)
    assert (tmp_path / "models.config").read_text() == before
    assert server.calls[-2] == ([5], {"stable": 5})


def test_failure_without_a_models_config_leaves_none(rollout, server, tmp_path):
    with pytest.raises(UserError, match="could not load version 3"):
        promote(rollout, 3)
    assert not (tmp_path / "models.config").exists()


def test_interrupted_promotion_restores_file_and_servers(rollout, server, tmp_path, monkeypatch):
    write_config(tmp_path, {"stable": 5})
    before = (tmp_path / "models.config").read_text()
    monkeypatch.setattr(server, "statuses", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    said = []
    with pytest.raises(KeyboardInterrupt):
        promote(rollout._replace(say=said.append), 7)
    assert (tmp_path / "models.config").read_text() == before
    assert said == ["interrupted; models.config and the named servers are as before."]


def test_unreachable_server_is_named_after_a_failure(rollout, server, tmp_path):
    write_config(tmp_path, {"stable": 5})
    server.refused = ([5], {"stable": 5})
    with pytest.raises(UserError, match=r"grpc://127.0.0.1:8500 will follow it at its next poll"):
        promote(rollout, 3)


def test_failure_of_the_last_step_is_a_warning(rollout, server, tmp_path):
    write_config(tmp_path, {"stable": 5})
    server.refused = ([7], {"stable": 7})
    said = []
    promote(rollout._replace(say=said.append), 7)
    assert any(line.startswith("Warning: refused The label has moved") for line in said)
    assert read_labels(str(tmp_path / "models.config")) == {"stable": 7}


def test_file_that_somebody_else_changes_meanwhile_is_not_overwritten(rollout, server, tmp_path, monkeypatch):
    write_config(tmp_path, {"stable": 5})
    statuses = server.statuses

    def edit():
        write_config(tmp_path, {"stable": 3})
        return statuses()

    monkeypatch.setattr(server, "statuses", edit)
    monkeypatch.setattr(server, "reload", lambda config: setattr(server, "loaded", [5, 7]))
    with pytest.raises(UserError, match="changed by somebody else"):
        promote(rollout, 7)
    assert read_labels(str(tmp_path / "models.config")) == {"stable": 3}


def test_rollback_returns_to_the_version_that_was_stable(rollout, server, tmp_path):
    promote(rollout, 5)
    promote(rollout, 7, "canary")
    promote(rollout, 7)
    rollback(rollout)
    assert read_labels(str(tmp_path / "models.config")) == {"stable": 5, "canary": 7}


def test_rollbacks_undo_moves_between_the_same_versions_one_by_one(rollout, tmp_path):
    for version in (5, 7, 5, 7):
        promote(rollout, version)
    for expected in (5, 7, 5):
        rollback(rollout)
        assert read_labels(str(tmp_path / "models.config")) == {"stable": expected}


def test_rollback_of_the_first_label_serves_the_newest_version_again(rollout, tmp_path):
    promote(rollout, 5)
    rollback(rollout)
    served = read_config(str(tmp_path / "models.config")).served
    assert served.labels == {}
    assert served.policy.latest.num_versions == 1
    assert served.moves == ()


def test_rollback_without_labels_serves_the_version_before_the_newest(rollout, tmp_path):
    rollback(rollout)
    assert read_labels(str(tmp_path / "models.config")) == {"stable": 5}


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"stable": 7}, r"not recorded where `stable` pointed before.*Hint: caser promote VERSION --label stable"),
        ({"canary": 7}, r"no label `stable` in .*models.config. Labels: canary"),
    ],
)
def test_rollback_without_a_record_is_an_error(rollout, tmp_path, labels, message):
    write_config(tmp_path, labels)
    with pytest.raises(UserError, match=message):
        rollback(rollout)


def test_rollback_to_a_removed_version_is_an_error(rollout, model_dir, tmp_path):
    promote(rollout, 5)
    promote(rollout, 7)
    shutil.rmtree(tmp_path / "caser" / "5")
    with pytest.raises(UserError, match="Version 5, to which `stable` pointed before, is no longer"):
        rollback(rollout)


def test_killed_promotion_is_forgotten_by_the_next_one(rollout, server, tmp_path, monkeypatch):
    write_config(tmp_path, {"stable": 5})
    with monkeypatch.context() as patched:
        patched.setattr("pipeline.deployment.rollout.Followers.wait", lambda *_: (_ for _ in ()).throw(SystemError))
        patched.setattr("pipeline.deployment.rollout.Followers._restore", lambda *_: "")
        with pytest.raises(SystemError):
            promote(rollout, 7, "canary")
    assert (
        read_config(str(tmp_path / "models.config")).served.policy
        == read_config(write_config(tmp_path, {"stable": 5}, also_load=[7])).served.policy
    )
    (tmp_path / "models.config").write_text(
        (tmp_path / "models.config").read_text() + '# caser: {"settled": "specific { versions: 5 }"}\n'
    )
    empty_version(tmp_path / "caser", 9)
    promote(rollout, 9)
    assert server.calls[-2] == ([9], {"stable": 9})


def test_directory_that_cannot_be_written_is_one_message(rollout, monkeypatch):
    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pipeline.deployment.labels.exclusive_lock", denied)
    with pytest.raises(UserError, match=r"Cannot write .*models.config.lock: Permission denied"):
        promote(rollout, 7)


def test_second_promotion_at_the_same_time_is_refused(rollout, model_dir):
    with (
        exclusive_lock(f"{config_path(model_dir)}.lock"),
        pytest.raises(UserError, match="Another promote or rollback"),
    ):
        promote(rollout, 7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["promote", "4", "--server", "grpc://127.0.0.1:1"], "Version 4 does not exist"),
        (["promote", "5", "--server", "http://127.0.0.1:1"], "Labels need gRPC"),
        (["promote", "5", "--server", "grpc://no-such-host.invalid:1"], "Cannot resolve the host"),
        (["rollback", "--label", "blue", "--server", "grpc://127.0.0.1:1", "--timeout", "0.2"], "No label was moved"),
    ],
)
def test_invalid_promote_is_one_message(model_dir, arguments, message, tmp_path):
    result = CliRunner().invoke(main, [*arguments, "--model", model_dir])
    assert result.exit_code == 2
    assert message in result.output
    assert not (tmp_path / "models.config").exists()


def test_versions_lists_labels(model_dir, tmp_path):
    write_config(tmp_path, {"stable": 5, "canary": 7})
    result = CliRunner().invoke(main, ["versions", "--model", model_dir])
    assert [line.split() for line in result.output.splitlines()] == [["3"], ["5", "stable"], ["7", "canary"]]
