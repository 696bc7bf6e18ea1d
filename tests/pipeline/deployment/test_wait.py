"""Waiting reads the state, and ends with the server's own words."""

import pytest

from components.errors import UserError
from pipeline.client.transport import VersionStatus
from pipeline.deployment.wait import wait_until_available

SERVER = "http://host:8501"


class Telling:
    """Tells one list of statuses after the other; the last one again and again."""

    def __init__(self, *told):
        self.told = list(told)

    def statuses(self):
        return [VersionStatus(*part) for part in (self.told.pop(0) if len(self.told) > 1 else self.told[0])]


def test_wait_returns_when_the_version_is_available():
    telling = Telling([], [(5, "LOADING", "")], [(5, "AVAILABLE", "")])
    wait_until_available(telling, [5], SERVER, timeout=30)
    assert len(telling.told) == 1


def test_wait_tolerates_an_unknown_model_until_the_timeout():
    class Refusing(Telling):
        def statuses(self):
            if not self.told[0]:
                self.told.pop(0)
                raise UserError("Could not find any versions of model caser")
            return super().statuses()

    wait_until_available(Refusing([], [(5, "AVAILABLE", "")]), [5], SERVER, timeout=30)
    with pytest.raises(UserError, match="any versions of model caser"):
        wait_until_available(Refusing([]), [5], SERVER, timeout=0)


def test_wait_reports_the_servers_load_error():
    telling = Telling([(4, "AVAILABLE", ""), (5, "END", "Op type not registered")])
    with pytest.raises(UserError, match="could not load version 5: Op type not registered"):
        wait_until_available(telling, [5], SERVER, timeout=30)


def test_wait_timeout_lists_available_versions():
    with pytest.raises(UserError, match=r"did not find version 5 within 0 s; available: 4 \(AVAILABLE\)"):
        wait_until_available(Telling([(4, "AVAILABLE", "")]), [5], SERVER, timeout=0)


def test_wait_timeout_names_the_state():
    with pytest.raises(UserError, match="version 5 is still in state LOADING after 0 s: slow disk"):
        wait_until_available(Telling([(5, "LOADING", "slow disk")]), [5], SERVER, timeout=0)
