"""`models.config` in the server's own format."""

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from components.errors import UserError
from components.pusher.models_config import (
    LabelMove,
    ServedModel,
    config_path,
    read_config,
    read_labels,
    specific,
    to_text,
    version_before,
    versions_in_use,
    with_model,
)
from tests.support.served_labels import write_config

OTHER_MODEL = """
model_config_list {
  config {
    name: "ranker"
    base_path: "/models/ranker"
    model_platform: "tensorflow"
    model_version_policy { all { } }
    version_labels { key: "prod" value: 3 }
    logging_config { sampling_config { sampling_rate: 0.5 } }
  }
}
"""


def parsed(text):
    return text_format.Parse(text, model_server_config_pb2.ModelServerConfig()).model_config_list.config


def test_models_config_is_valid_for_the_server(tmp_path):
    write_config(tmp_path, {"stable": 5, "canary": 7})
    (model,) = parsed((tmp_path / "models.config").read_text())
    assert (model.name, model.base_path, model.model_platform) == ("caser", "/models/caser", "tensorflow")
    assert list(model.model_version_policy.specific.versions) == [5, 7]
    assert dict(model.version_labels) == {"stable": 5, "canary": 7}


def test_missing_models_config_serves_the_newest_version(tmp_path):
    config = read_config(config_path(str(tmp_path / "caser")))
    assert config.text is None
    (model,) = config.message.model_config_list.config
    assert model.model_version_policy.latest.num_versions == 1


def test_other_models_keep_every_field(tmp_path):
    (tmp_path / "models.config").write_text(OTHER_MODEL)
    config = read_config(str(tmp_path / "models.config"))
    changed = with_model(config.message, ServedModel({"stable": 5}, specific([5])), "/elsewhere/caser")
    other, caser = parsed(to_text(changed, ServedModel()))
    assert other == parsed(OTHER_MODEL)[0]
    assert (caser.name, caser.base_path) == ("caser", "/elsewhere/caser")


def test_fields_of_the_model_itself_are_kept(tmp_path):
    text = OTHER_MODEL.replace('"ranker"', '"caser"')
    config = read_config(_written(tmp_path, text))
    (model,) = with_model(config.message, ServedModel({}, specific([3]))).model_config_list.config
    assert (model.base_path, model.logging_config.sampling_config.sampling_rate) == ("/models/ranker", 0.5)
    assert dict(model.version_labels) == {}


def test_versions_of_labels_policy_and_rollback_are_in_use(tmp_path):
    moves = (LabelMove("stable", 3, 1, ""), LabelMove("stable", 5, 3, ""))
    file = write_config(tmp_path, {"stable": 5}, also_load=[7], moves=moves)
    assert read_labels(file) == {"stable": 5}
    assert versions_in_use(file) == {3, 5, 7}


def test_unlabelled_version_that_a_rollback_would_load_is_in_use(tmp_path):
    file = write_config(tmp_path, {"stable": 5}, moves=(LabelMove("stable", 5, 3, "specific { versions: 9 }"),))
    assert versions_in_use(file) == {3, 5, 9}


def test_no_version_is_in_use_without_a_models_config(tmp_path):
    assert versions_in_use(config_path(str(tmp_path / "caser"))) == set()


def test_moves_survive_a_round_trip(tmp_path):
    moves = (LabelMove("stable", 5, None, "latest { num_versions: 2 }"), LabelMove("stable", 7, 5, ""))
    file = write_config(tmp_path, {"stable": 7}, moves=moves)
    assert read_config(file).served.moves == moves
    assert version_before(read_config(file).served, "stable") == moves[1]
    assert version_before(read_config(file).served, "canary") is None


def test_label_that_was_edited_by_hand_returns_to_the_recorded_version(tmp_path):
    file = write_config(tmp_path, {"stable": 9}, moves=(LabelMove("stable", 7, 5, ""),))
    assert version_before(read_config(file).served, "stable").before == 7


@pytest.mark.parametrize("comment", ["{", '{"moves": [[1]]}', "[]", '{"settled": "newest"}'])
def test_damaged_comment_is_a_user_error(tmp_path, comment):
    file = _written(tmp_path, OTHER_MODEL.replace('"ranker"', '"caser"') + f"# caser: {comment}\n")
    with pytest.raises(UserError, match=r"comment of `caser promote` is damaged.*Hint: delete that line"):
        read_config(file)


def test_malformed_models_config_is_a_user_error(tmp_path):
    (tmp_path / "models.config").write_text("model_config_list: [")
    with pytest.raises(UserError, match=r"not a valid models.config of TF Serving"):
        read_labels(config_path(str(tmp_path / "caser")))


def _written(folder, text):
    (folder / "models.config").write_text(text)
    return str(folder / "models.config")
