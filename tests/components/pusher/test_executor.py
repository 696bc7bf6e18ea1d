"""The Pusher's executor over real models, verified by a real process."""

import os
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from tfx.components.evaluator import constants
from tfx.types import standard_artifacts

from components.errors import UserError
from components.export.model_info import read_model_info
from components.items_gen.artifact import ItemsArtifact, write_items
from components.pusher.component import CaserPusher
from pipeline.client.items import Items
from tests.support import small_servable


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    small_servable.save(folder / "Format-Serving")
    return folder


def push(model_folder, serving_dir, blessed=True, items=None, **others):
    """Pushes; returns what the artifact says."""
    model, blessing, pushed = (
        kind() for kind in (standard_artifacts.Model, standard_artifacts.ModelBlessing, standard_artifacts.PushedModel)
    )
    model.uri = str(model_folder)
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, int(blessed))
    inputs = {"model": [model], "model_blessing": [blessing]}
    for name, is_blessed in others.items():
        kind = standard_artifacts.InfraBlessing if name == "refit_blessing" else standard_artifacts.ModelBlessing
        inputs[name] = [kind()]
        inputs[name][0].set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, int(is_blessed))
    if items is not None:
        inputs["items"] = [ItemsArtifact()]
        inputs["items"][0].uri = str(items)
    CaserPusher.EXECUTOR_SPEC.executor_class().Do(
        inputs,
        {"pushed_model": [pushed]},
        {"serving_dir": str(serving_dir), "keep": 2, "config_digest": "abc", "split": ""},
    )
    return pushed


def test_model_without_a_blessing_is_not_pushed(trained, tmp_path):
    assert push(trained, tmp_path, blessed=False).get_int_custom_property("pushed") == 0
    assert list(tmp_path.iterdir()) == []


def test_model_needs_the_blessing_of_every_node(trained, tmp_path):
    blessings = dict.fromkeys(("baseline_blessing", "drift_blessing", "refit_blessing"), True)
    for name in blessings:
        assert push(trained, tmp_path, **{**blessings, name: False}).get_int_custom_property("pushed") == 0
    assert list(tmp_path.iterdir()) == []
    pushed = push(trained, tmp_path, **blessings)
    assert pushed.get_int_custom_property("pushed") == 1
    assert read_model_info(pushed.uri)["refit"] is True


def test_broken_model_leaves_the_pushed_version_unchanged(trained, tmp_path):
    pushed = push(trained, tmp_path)
    version = pushed.get_string_custom_property("pushed_version")
    assert pushed.get_string_custom_property("pushed_destination") == str(tmp_path / "caser" / version)
    assert os.listdir(tmp_path / "caser") == [version]
    # TFX reuses outputs whose URI exists: without the version there is nothing to reuse.
    assert pushed.uri == pushed.get_string_custom_property("pushed_destination")
    facts = read_model_info(pushed.uri)
    assert facts.pop("model")["d"] == 2
    trainer = {"items": 8, "users": 3, "L": 3, "k": 5, "exclude_seen": True, "rule_weight": 0.0, "index_recall": None}
    assert facts == {**trainer, "version": int(version), "config_digest": "abc", "refit": False}

    broken = shutil.copytree(trained, tmp_path / "broken")
    for file in (broken / "Format-Serving" / "variables").iterdir():
        file.unlink()
    with pytest.raises(UserError, match="verification in a separate process failed: the golden request failed"):
        push(broken, tmp_path)
    assert os.listdir(tmp_path / "caser") == [version]


def test_push_to_an_unwritable_directory_is_a_user_error(trained, tmp_path):
    (tmp_path / "serving").write_text("a file, where a folder should be")
    with pytest.raises(UserError, match="Not a directory"):
        push(trained, tmp_path / "serving")


def test_push_to_an_object_store_publishes_the_version(trained, tmp_path):
    pushed = push(trained, f"file://{tmp_path}/serving")
    version = pushed.get_string_custom_property("pushed_version")
    assert os.listdir(tmp_path / "serving" / "caser") == [version]
    assert pushed.uri == f"file://{tmp_path}/serving/caser/{version}"


def test_titles_are_pushed_with_the_model_and_new_ones_are_a_new_version(trained, tmp_path):
    versions = []
    for title in ("Alien", "Alien", "Aliens"):
        write_items(str(tmp_path / "items"), pa.table({"item_id": ["i5"], "title": [title]}))
        pushed = push(trained, tmp_path / "serving", items=tmp_path / "items")
        versions.append(pushed.get_string_custom_property("pushed_version"))
        assert Items.of_model(Path(pushed.uri)).titles(["i5", "i6"]) == [title, ""]
    assert versions[0] == versions[1] != versions[2]
