"""Retention around the server's labels."""

import os

import pytest

from components.errors import UserError
from components.pusher import push
from components.pusher.models_config import LabelMove
from tests.support.served_labels import write_config


@pytest.fixture
def pushed(tmp_path, monkeypatch):
    """A function that releases another model each time; what is verified has its own tests."""
    monkeypatch.setattr(push, "verify_in_subprocess", lambda folder, allow_no_warmup: None)
    source = tmp_path / "source"
    source.mkdir()

    def push_content(content, keep=2):
        (source / "saved_model.pb").write_text(content)
        return push.push_model(str(source), str(tmp_path / "serving" / "caser"), keep, {})

    return push_content


def test_old_versions_are_removed_unless_labelled(pushed, tmp_path):
    first = pushed("a")
    write_config(tmp_path / "serving", {"stable": first})
    _, third, fourth = pushed("b"), pushed("c"), pushed("d")
    assert sorted(map(int, os.listdir(tmp_path / "serving" / "caser"))) == [first, third, fourth]


def test_malformed_models_config_prevents_a_push(pushed, tmp_path):
    first = pushed("a")
    (tmp_path / "serving" / "models.config").write_text("what?")
    with pytest.raises(UserError, match=r"models.config"):
        pushed("b", keep=1)
    assert os.listdir(tmp_path / "serving" / "caser") == [str(first)]


def test_version_that_a_rollback_would_need_is_kept(pushed, tmp_path):
    first, second = pushed("a"), pushed("b")
    write_config(tmp_path / "serving", {"stable": second}, moves=(LabelMove("stable", second, first, ""),))
    third, fourth = pushed("c"), pushed("d", keep=1)
    assert sorted(map(int, os.listdir(tmp_path / "serving" / "caser"))) == [first, second, fourth]
    assert third < fourth


def test_version_with_a_damaged_warmup_file_is_repaired_by_another_push(pushed, tmp_path):
    (tmp_path / "source" / "assets.extra").mkdir()
    warmup = tmp_path / "source" / "assets.extra" / "tf_serving_warmup_requests"
    warmup.write_bytes(b"whole")
    first = pushed("a")
    assert pushed("a") == first
    served = tmp_path / "serving" / "caser" / str(first) / "assets.extra" / "tf_serving_warmup_requests"
    served.write_bytes(b"who")
    second = pushed("a")
    assert second > first
    repaired = tmp_path / "serving" / "caser" / str(second) / "assets.extra" / "tf_serving_warmup_requests"
    assert repaired.read_bytes() == b"whole"
