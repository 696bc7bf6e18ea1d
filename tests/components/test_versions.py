import os
import time

import pytest

from components.errors import UserError
from components.versions import digest, publish, versions


def model(folder, content):
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_text(content)
    (folder / "variables" / "data").write_text(content)
    return str(folder)


def accept(folder):
    assert os.path.exists(os.path.join(folder, "saved_model.pb"))


def test_a_version_is_unix_seconds_and_never_older_than_another(tmp_path):
    target = str(tmp_path / "caser")
    first = publish(model(tmp_path / "a", "a"), target, accept)
    assert abs(first - time.time()) < 60
    os.rename(os.path.join(target, str(first)), os.path.join(target, str(first + 1000)))
    second = publish(model(tmp_path / "b", "b"), target, accept)
    assert second == first + 1001
    assert versions(target) == [first + 1000, first + 1001]
    assert digest(os.path.join(target, str(second))) == digest(str(tmp_path / "b"))


def test_the_same_model_is_not_published_twice(tmp_path):
    target, source = str(tmp_path / "caser"), model(tmp_path / "a", "a")
    assert publish(source, target, accept) == publish(source, target, accept)
    assert len(versions(target)) == 1


def test_nothing_is_visible_before_it_is_verified_nor_after_it_failed(tmp_path):
    target = tmp_path / "caser"
    old = publish(model(tmp_path / "a", "a"), str(target), accept)

    def refuse(folder):
        assert versions(str(target)) == [old]
        raise UserError("no")

    with pytest.raises(UserError):
        publish(model(tmp_path / "b", "b"), str(target), refuse)
    assert [path.name for path in target.iterdir()] == [str(old)]


def test_leftovers_of_a_killed_push_are_removed_and_never_count_as_versions(tmp_path):
    target = tmp_path / "caser"
    model(target / ".staging-dead", "half")
    assert versions(str(target)) == []
    version = publish(model(tmp_path / "a", "a"), str(target), accept)
    assert [path.name for path in target.iterdir()] == [str(version)]
