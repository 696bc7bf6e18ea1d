import os
import subprocess
import sys
import threading
import time

import pytest

from components.errors import UserError
from components.pusher.version_dirs import digest, publish, removable, remove, version_folders, versions
from tests.support.served_labels import empty_version


def model(folder, content):
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_text(content)
    (folder / "variables" / "data").write_text(content)
    return str(folder)


def accept(folder, version):
    assert os.path.exists(os.path.join(folder, "saved_model.pb"))


def test_version_is_unix_time_or_larger_than_the_newest(tmp_path):
    target = str(tmp_path / "caser")
    first = publish(model(tmp_path / "a", "a"), target, accept)
    assert abs(first - time.time()) < 60
    os.rename(os.path.join(target, str(first)), os.path.join(target, str(first + 1000)))
    second = publish(model(tmp_path / "b", "b"), target, accept)
    assert second == first + 1001
    assert versions(target) == [first + 1000, first + 1001]
    assert digest(os.path.join(target, str(second))) == digest(str(tmp_path / "b"))


def test_equal_model_is_not_published_twice(tmp_path):
    target, source = str(tmp_path / "caser"), model(tmp_path / "a", "a")
    assert publish(source, target, accept) == publish(source, target, accept)
    assert len(versions(target)) == 1


def test_unverified_model_is_never_visible(tmp_path):
    target = tmp_path / "caser"
    old = publish(model(tmp_path / "a", "a"), str(target), accept)

    def refuse(folder, version):
        assert versions(str(target)) == [old]
        raise UserError("no")

    with pytest.raises(UserError):
        publish(model(tmp_path / "b", "b"), str(target), refuse)
    assert [path.name for path in target.iterdir()] == [str(old)]


def test_staging_directory_of_a_killed_push_is_removed(tmp_path):
    target = tmp_path / "caser"
    model(target / ".staging-dead", "half")
    assert versions(str(target)) == []
    version = publish(model(tmp_path / "a", "a"), str(target), accept)
    assert [path.name for path in target.iterdir()] == [str(version)]


def test_push_killed_before_its_rename_leaves_no_version(tmp_path):
    target, source = tmp_path / "caser", model(tmp_path / "a", "a")
    code = f"""
import time
from components.pusher.version_dirs import publish
publish({source!r}, {str(target)!r}, lambda staged, version: (print("staged", flush=True), time.sleep(60)))
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as pushing:
        assert pushing.stdout.readline() == "staged\n"
        pushing.kill()
    assert versions(str(target)) == []
    (staged,) = target.iterdir()
    assert digest(str(staged)) == digest(source)
    version = publish(source, str(target), accept)
    assert [path.name for path in target.iterdir()] == [str(version)]


def test_files_added_while_preparing_do_not_change_the_digest(tmp_path):
    target, source = tmp_path / "caser", model(tmp_path / "a", "a")

    def describe(folder, version):
        os.mkdir(os.path.join(folder, "assets.extra"))
        with open(os.path.join(folder, "assets.extra", "model.json"), "w") as file:
            file.write(str(version))

    version = publish(source, str(target), describe)
    assert (target / str(version) / "assets.extra" / "model.json").read_text() == str(version)
    assert publish(source, str(target), describe) == version


@pytest.mark.parametrize(
    ("keep", "in_use", "expected"),
    [(3, (), [1, 2]), (1, (), [1, 2, 3, 4]), (2, {1}, [2, 3]), (9, (), []), (0, {2}, [1, 3, 4])],
)
def test_removable_versions_exclude_the_newest(keep, in_use, expected):
    assert removable([1, 2, 3, 4, 5], keep, in_use) == expected


def test_version_is_removed_atomically(tmp_path):
    target = str(tmp_path / "caser")
    version = publish(model(tmp_path / "a", "a"), target, accept)
    remove(target, version)
    assert os.listdir(target) == []


def test_concurrent_push_waits_for_the_first(tmp_path):
    target, order = str(tmp_path / "caser"), []
    first, second = model(tmp_path / "a", "a"), model(tmp_path / "b", "b")
    pushing = threading.Thread(target=publish, args=(second, target, lambda folder, version: order.append("second")))

    def start_the_other(folder, version):
        pushing.start()
        time.sleep(0.2)
        order.append("first")

    publish(first, target, start_the_other)
    pushing.join()
    assert order == ["first", "second"]
    assert len(versions(target)) == 2


def test_directory_whose_name_is_no_number_is_no_version(tmp_path):
    for name in ("5", "5a", "²", "-3", ".staging-7", str(2**63)):
        empty_version(tmp_path, name)
    (tmp_path / "6").write_text("a file")
    (tmp_path / "7").mkdir()  # a copy that has only begun
    assert versions(str(tmp_path)) == [5]
    assert list(version_folders(str(tmp_path))) == [5, 7]


def test_leading_zeros_are_read_as_tf_serving_does(tmp_path):
    for name in ("0000001", "0002", "2", "10"):
        empty_version(tmp_path, name)
    assert version_folders(str(tmp_path)) == {
        1: str(tmp_path / "0000001"),
        2: str(tmp_path / "2"),
        10: str(tmp_path / "10"),
    }
    remove(str(tmp_path), 1)
    assert versions(str(tmp_path)) == [2, 10]


def test_new_version_is_above_incomplete_ones_and_below_the_limit(tmp_path):
    (tmp_path / "models" / str(2**62)).mkdir(parents=True)
    source = model(tmp_path / "new", "new")
    assert publish(source, str(tmp_path / "models"), accept) == 2**62 + 1
    (tmp_path / "models" / str(2**63 - 1)).mkdir()
    with pytest.raises(UserError, match="largest that TF Serving reads"):
        publish(model(tmp_path / "newer", "newer"), str(tmp_path / "models"), accept)
