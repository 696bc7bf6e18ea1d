"""Waiting until a version is AVAILABLE."""

import pytest

from components.errors import UserError
from pipeline.client.transport import VersionStatus
from pipeline.deployment.wait import wait_until_available

SERVER = "http://host:8501"


class Scripted:
    """Returns one list of statuses after the other, and repeats the last one."""

    def __init__(self, *statuses):
        self.pending = list(statuses)

    def statuses(self):
        return [VersionStatus(*part) for part in (self.pending.pop(0) if len(self.pending) > 1 else self.pending[0])]


def test_wait_returns_when_the_version_is_available():
    transport = Scripted([], [(5, "LOADING", "")], [(5, "AVAILABLE", "")])
    wait_until_available(transport, [5], SERVER, timeout=30)
    assert len(transport.pending) == 1


def test_wait_tolerates_an_unknown_model_until_the_timeout():
    class Refusing(Scripted):
        def statuses(self):
            if not self.pending[0]:
                self.pending.pop(0)
                raise UserError("Could not find any versions of model caser")
            return super().statuses()

    wait_until_available(Refusing([], [(5, "AVAILABLE", "")]), [5], SERVER, timeout=30)
    with pytest.raises(UserError, match="any versions of model caser"):
        wait_until_available(Refusing([]), [5], SERVER, timeout=0)


def test_wait_reports_the_servers_load_error():
    transport = Scripted([(4, "AVAILABLE", ""), (5, "END", "Op type not registered")])
    with pytest.raises(UserError, match="could not load version 5: Op type not registered"):
        wait_until_available(transport, [5], SERVER, timeout=30)


def test_wait_timeout_lists_available_versions():
    with pytest.raises(UserError, match=r"did not find version 5 within 0 s; available: 4 \(AVAILABLE\)"):
        wait_until_available(Scripted([(4, "AVAILABLE", "")]), [5], SERVER, timeout=0)


def test_wait_timeout_names_the_state():
    with pytest.raises(UserError, match="version 5 is still in state LOADING after 0 s: slow disk"):
        wait_until_available(Scripted([(5, "LOADING", "slow disk")]), [5], SERVER, timeout=0)
