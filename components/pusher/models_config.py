"""TF Serving's `models.config`: the versions a server loads, and their labels."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from components.errors import UserError
from components.export.signatures import MODEL_NAME

# In the serving directory, beside the model's directory.
CONFIG_FILE = "models.config"


def config_path(model_dir: str) -> str:
    """Path of `models.config`.

    Args:
        model_dir: directory of all versions.
    """
    return os.path.join(os.path.dirname(model_dir.rstrip("/")), CONFIG_FILE)


def models_config(
    base_path: str, labels: Mapping[str, int], also_load: Collection[int] = ()
) -> model_server_config_pb2.ModelServerConfig:
    """Creates a configuration.

    Args:
        base_path: directory of all versions, as the server sees it.
        labels: version by label; if empty, the server loads the newest version.
        also_load: further versions to load, without a label.

    Returns:
        The protobuf message.
    """
    config = model_server_config_pb2.ModelServerConfig()
    model = config.model_config_list.config.add(name=MODEL_NAME, base_path=base_path, model_platform="tensorflow")
    if labels or also_load:
        model.model_version_policy.specific.versions.extend(sorted({*labels.values(), *also_load}))
    else:
        model.model_version_policy.latest.num_versions = 1
    for label, version in sorted(labels.items()):
        model.version_labels[label] = version
    return config


def read_labels(path: str) -> dict[str, int]:
    """Reads the labels.

    Args:
        path: path of a `models.config`; may be missing.

    Returns:
        Version by label.

    Raises:
        UserError: the file is malformed.
    """
    return dict(_model(path).version_labels)


def versions_in_use(path: str) -> set[int]:
    """The versions named by a label or by the version policy.

    Args:
        path: path of a `models.config`; may be missing.
    """
    model = _model(path)
    return {*model.version_labels.values(), *model.model_version_policy.specific.versions}


def to_text(config: model_server_config_pb2.ModelServerConfig) -> str:
    """The configuration in protobuf text format, as servers read it."""
    return text_format.MessageToString(config)


def _model(path: str) -> model_server_config_pb2.ModelConfig:
    config = model_server_config_pb2.ModelServerConfig()
    try:
        with open(path, encoding="utf-8") as file:
            text_format.Parse(file.read(), config)
    except FileNotFoundError:
        return model_server_config_pb2.ModelConfig()
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise UserError(
            f"{path} is not a valid models.config of TF Serving: {error}. Hint: fix or delete it; without it "
            "servers load the newest version."
        ) from None
    models = [model for model in config.model_config_list.config if model.name == MODEL_NAME]
    return models[0] if models else model_server_config_pb2.ModelConfig()
