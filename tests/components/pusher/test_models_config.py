"""`models.config` in the server's own format."""

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from components.errors import UserError
from components.pusher.models_config import config_path, models_config, read_labels, to_text, versions_in_use


def written(tmp_path, config):
    file = tmp_path / "models.config"
    file.write_text(to_text(config))
    return str(file)


def test_models_config_is_valid_for_the_server():
    text = to_text(models_config("/models/caser", {"stable": 5, "canary": 7}))
    (model,) = text_format.Parse(text, model_server_config_pb2.ModelServerConfig()).model_config_list.config
    assert (model.name, model.base_path, model.model_platform) == ("caser", "/models/caser", "tensorflow")
    assert list(model.model_version_policy.specific.versions) == [5, 7]
    assert dict(model.version_labels) == {"stable": 5, "canary": 7}


def test_models_config_without_labels_serves_the_newest_version():
    (model,) = models_config("/models/caser", {}).model_config_list.config
    assert model.model_version_policy.latest.num_versions == 1


def test_labelled_or_loaded_versions_are_in_use(tmp_path):
    file = written(tmp_path, models_config("/m", {"stable": 5}, also_load=[7]))
    assert read_labels(file) == {"stable": 5}
    assert versions_in_use(file) == {5, 7}


def test_no_version_is_in_use_without_a_models_config(tmp_path):
    assert versions_in_use(config_path(str(tmp_path / "caser"))) == set()


def test_malformed_models_config_is_a_user_error(tmp_path):
    (tmp_path / "models.config").write_text("model_config_list: [")
    with pytest.raises(UserError, match=r"not a valid models.config of TF Serving"):
        read_labels(config_path(str(tmp_path / "caser")))
