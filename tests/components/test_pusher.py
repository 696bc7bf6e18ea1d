"""The Pusher's executor over real models, verified by a real process."""

import os
import shutil

import pytest
from tfx.components.evaluator import constants
from tfx.types import standard_artifacts

from components.errors import UserError
from components.pusher import CaserPusher
from tests.components import small_servable


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    small_servable.save(folder / "Format-Serving")
    return folder


def push(model_folder, serving_dir, blessed=True):
    """Pushes; returns what the artifact says."""
    model, blessing, pushed = (
        kind() for kind in (standard_artifacts.Model, standard_artifacts.ModelBlessing, standard_artifacts.PushedModel)
    )
    model.uri = str(model_folder)
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, int(blessed))
    CaserPusher.EXECUTOR_SPEC.executor_class().Do(
        {"model": [model], "model_blessing": [blessing]}, {"pushed_model": [pushed]}, {"serving_dir": str(serving_dir)}
    )
    return pushed


def test_a_model_without_a_blessing_is_not_pushed(trained, tmp_path):
    assert push(trained, tmp_path, blessed=False).get_int_custom_property("pushed") == 0
    assert list(tmp_path.iterdir()) == []


def test_a_blessed_model_is_one_new_version_and_a_broken_one_leaves_it_alone(trained, tmp_path):
    pushed = push(trained, tmp_path)
    version = pushed.get_string_custom_property("pushed_version")
    assert pushed.get_string_custom_property("pushed_destination") == str(tmp_path / "caser" / version)
    assert os.listdir(tmp_path / "caser") == [version]

    broken = shutil.copytree(trained, tmp_path / "broken")
    for file in (broken / "Format-Serving" / "variables").iterdir():
        file.unlink()
    with pytest.raises(UserError, match="a fresh process cannot use it: the golden query failed"):
        push(broken, tmp_path)
    assert os.listdir(tmp_path / "caser") == [version]


def test_a_folder_that_cannot_be_written_to_is_an_ordinary_mistake(trained, tmp_path):
    (tmp_path / "serving").write_text("a file, where a folder should be")
    with pytest.raises(UserError, match="Not a directory"):
        push(trained, tmp_path / "serving")


def test_an_object_store_is_refused_instead_of_a_folder_of_that_name(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="local or mounted"):
        push(trained, "gs://bucket/serving")
    assert list(tmp_path.iterdir()) == []
