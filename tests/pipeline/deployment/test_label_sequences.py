"""Random sequences of what happens to servers: after each, all of them answer by what `models.config` says."""

from __future__ import annotations

import shutil
import signal
import tempfile
from pathlib import Path

import pytest
from google.protobuf import text_format
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tensorflow_serving.config import model_server_config_pb2

from components.errors import UserError
from components.pusher import version_dirs
from components.pusher.models_config import config_path, read_config, versions_in_use
from pipeline.client.transport import Connection
from pipeline.deployment import rollout
from pipeline.deployment.labels import promote, rollback
from pipeline.deployment.rollout import Rollout
from tests.support.served_labels import empty_version
from tests.support.tf_serving import ServingError
from tests.support.virtual_servers import NAMED, POLL_SECONDS, UNNAMED, Killed, VirtualServers

# The first one is moved most often.
LABELS = st.sampled_from(["stable", "stable", "canary"])
STEPS = st.integers(1, 12)
# Longer than a poll and the slowest load.
SETTLED_SECONDS = 3 * POLL_SECONDS + 60
# Another model of the same servers, with fields of its own.
OTHER = """
model_config_list {{
  config {{
    name: "ranker"
    base_path: "{folder}/ranker"
    model_platform: "tensorflow"
    model_version_policy {{ specific {{ versions: 103 versions: 104 }} }}
    version_labels {{ key: "prod" value: 103 }}
    logging_config {{ sampling_config {{ sampling_rate: 0.25 }} }}
  }}
  config {{ name: "caser" base_path: "{folder}/caser" model_platform: "tensorflow" }}
}}
"""


class Servers(RuleBasedStateMachine):
    """Commands, kills, restarts, pushes and time."""

    @initialize(slow=st.lists(st.sampled_from([0.0, 1.0, 20.0, 45.0]), min_size=24, max_size=24))
    def start(self, slow):
        self.folder = Path(tempfile.mkdtemp())
        self.model_dir = self.folder / "caser"
        self.broken, self.next_version = set(), 1
        self.original = OTHER.format(folder=self.folder)
        (self.folder / "models.config").write_text(self.original)
        for version in (103, 104):
            (self.folder / "ranker" / str(version)).mkdir(parents=True)
        self.model_dir.mkdir()
        self.virtual = VirtualServers(
            self.folder, lambda server, version: slow[(2 * version + server) % len(slow)], self.broken
        )
        for is_broken in (False, False, True, False):
            self.push(is_broken)
        self.virtual.advance(SETTLED_SECONDS)
        self.labels = {}
        self.write_text = rollout.write_text
        rollout.write_text = self._write
        self.patched = True

    def teardown(self):
        if getattr(self, "patched", False):
            rollout.write_text = self.write_text
            shutil.rmtree(self.folder)

    def _write(self, file, text):
        self.virtual.effect()
        self.write_text(file, text)

    def rollout(self):
        self.virtual.begin()
        return Rollout(
            str(self.model_dir),
            [Connection("grpc://127.0.0.1:8500")],
            load_timeout=60,
            poll_interval=POLL_SECONDS,
            say=lambda line: None,
            connect=self.virtual.connect,
            clock=self.virtual,
        )

    def present(self):
        return version_dirs.versions(str(self.model_dir))

    @rule(is_broken=st.booleans())
    def push(self, is_broken):
        if is_broken:
            self.broken.add(self.next_version)
        empty_version(self.model_dir, self.next_version)
        self.next_version += 1

    @rule(keep=st.integers(1, 3))
    def remove_old_versions(self, keep):
        in_use = versions_in_use(config_path(str(self.model_dir)))
        for version in version_dirs.removable(self.present(), keep, in_use):
            version_dirs.remove(str(self.model_dir), version)

    @rule(seconds=st.sampled_from([1, 10, 31, 200]))
    def wait(self, seconds):
        self.virtual.advance(seconds)

    @rule(server=st.sampled_from([NAMED, UNNAMED]))
    def restart(self, server):
        self.virtual.restart(server)

    @rule(data=st.data(), label=LABELS, restarted=st.sampled_from([None, NAMED, UNNAMED]), step=STEPS)
    def promote(self, data, label, restarted, step):
        version = data.draw(st.sampled_from(self.present()))
        self.virtual.hooks = {} if restarted is None else {step: lambda: self.virtual.restart(restarted)}
        try:
            promote(self.rollout(), version, label)
        except UserError as error:
            self.expect(error, "could not load", *(["refused", "any versions"] if restarted == NAMED else []))
        else:
            self.labels[label] = version

    @rule(data=st.data(), label=LABELS)
    def promote_and_rollback(self, data, label):
        self.virtual.hooks = {}
        before, answers = dict(self.labels), self.answers()
        leftover = read_config(config_path(str(self.model_dir))).served.settled is not None
        version = data.draw(st.sampled_from(self.present()))
        if version in self.broken or self.labels.get(label) == version:
            return
        try:
            promote(self.rollout(), version, label)
        except UserError as error:
            self.expect(error, "could not load")
            return
        self.labels[label] = version
        self.virtual.advance(SETTLED_SECONDS)
        if not before and self.present()[-1] in self.broken:
            # Without labels, the newest version would be loaded, and cannot.
            with pytest.raises(UserError, match="could not load"):
                rollback(self.rollout(), label)
            return
        rollback(self.rollout(), label)
        self.labels = before
        after = self.answers()
        if leftover:
            # Additional versions that a killed command has loaded are gone.
            answers, after = ([{**found, "": None} for found in part] for part in (answers, after))
        assert after == answers

    @rule(label=LABELS)
    def rollback(self, label):
        self.virtual.hooks = {}
        self._rollback(label)

    @rule(data=st.data(), label=LABELS, step=STEPS, undo=st.booleans())
    def kill(self, data, label, step, undo):
        """The process of a command ends at any step; it has moved the label, or it has not."""
        self.virtual.hooks = {step: self.virtual.kill}
        version = data.draw(st.sampled_from(self.present()))
        try:
            if undo:
                self._rollback(label)
            else:
                promote(self.rollout(), version, label)
                self.labels[label] = version
        except UserError:
            return
        except Killed:
            moved = read_config(config_path(str(self.model_dir))).served.labels
            assert {**moved, label: None} == {**self.labels, label: None}
            assert undo or moved.get(label) in (self.labels.get(label), version)
            self.labels = dict(moved)

    @rule(data=st.data(), label=LABELS, step=STEPS)
    def interrupt(self, data, label, step):
        """Ctrl-C at any step restores the former file, unless the label has moved on all servers."""
        version = data.draw(st.sampled_from(self.present()))

        def ctrl_c():
            if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
                raise KeyboardInterrupt

        before = (self.folder / "models.config").read_text()
        self.virtual.hooks = {step: ctrl_c}
        try:
            promote(self.rollout(), version, label)
        except (KeyboardInterrupt, UserError):
            served = read_config(config_path(str(self.model_dir))).served
            if served.labels == self.labels:
                assert (self.folder / "models.config").read_text() == before
            self.labels = dict(served.labels)
        else:
            self.labels[label] = version

    def _rollback(self, label):
        served = read_config(config_path(str(self.model_dir))).served
        try:
            rollback(self.rollout(), label)
        except UserError as error:
            self.expect(
                error, "There is no label", "not recorded where", "no version before", "could not load", "no longer in"
            )
        else:
            self.labels = dict(read_config(config_path(str(self.model_dir))).served.labels)
            others = {name: version for name, version in self.labels.items() if name != label}
            assert others == {name: version for name, version in served.labels.items() if name != label}

    def expect(self, error, *messages):
        if not any(message in str(error) for message in messages):
            raise AssertionError from error

    def answers(self):
        """By server, which version answers: without a label, and by label."""
        self.virtual.advance(SETTLED_SECONDS)
        answers = []
        for server in self.virtual.servers:
            found = {}
            for label in ("", "stable", "canary"):
                try:
                    found[label] = server.resolve("caser", label)[0]
                except ServingError as error:
                    found[label] = error.code
            answers.append(found)
        return answers

    @invariant()
    @precondition(lambda self: hasattr(self, "virtual"))
    def every_server_answers_by_the_file(self):
        config = text_format.Parse(
            (self.folder / "models.config").read_text(), model_server_config_pb2.ModelServerConfig()
        )
        other, caser = config.model_config_list.config
        original = text_format.Parse(self.original, model_server_config_pb2.ModelServerConfig())
        assert other == original.model_config_list.config[0]
        assert dict(caser.version_labels) == self.labels
        self.virtual.advance(SETTLED_SECONDS)
        for server in self.virtual.servers:
            assert server.models() == ["caser", "ranker"]
            assert server.resolve("ranker", "prod")[0] == 103
            assert server.resolve("ranker")[0] == 104
            assert server.labels("caser") == self.labels
            for label, version in self.labels.items():
                if version not in self.broken:
                    assert server.resolve("caser", label)[0] == version


COMMON = {"deadline": None, "suppress_health_check": list(HealthCheck), "stateful_step_count": 7}
TestSequences = Servers.TestCase
TestSequences.settings = settings(max_examples=60, **COMMON)


@pytest.mark.long
class TestManySequences(Servers.TestCase):
    settings = settings(max_examples=2000, **COMMON)
