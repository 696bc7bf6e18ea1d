"""Retention around the server's labels."""

import os

import pytest

from components.errors import UserError
from components.pusher import push
from components.pusher.models_config import models_config, to_text


@pytest.fixture
def pushed(tmp_path, monkeypatch):
    """A function that releases another model each time; what is verified has its own tests."""
    monkeypatch.setattr(push, "verify_in_subprocess", lambda folder: None)
    source = tmp_path / "source"
    source.mkdir()

    def push_content(content, keep=2):
        (source / "saved_model.pb").write_text(content)
        return push.push_model(str(source), str(tmp_path / "serving" / "caser"), keep, {})

    return push_content


def test_old_versions_are_removed_unless_labelled(pushed, tmp_path):
    first = pushed("a")
    (tmp_path / "serving" / "models.config").write_text(to_text(models_config("/models/caser", {"stable": first})))
    _, third, fourth = pushed("b"), pushed("c"), pushed("d")
    assert sorted(map(int, os.listdir(tmp_path / "serving" / "caser"))) == [first, third, fourth]


def test_malformed_models_config_prevents_a_push(pushed, tmp_path):
    first = pushed("a")
    (tmp_path / "serving" / "models.config").write_text("what?")
    with pytest.raises(UserError, match=r"models.config"):
        pushed("b", keep=1)
    assert os.listdir(tmp_path / "serving" / "caser") == [str(first)]
