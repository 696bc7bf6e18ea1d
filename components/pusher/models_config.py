"""TF Serving's `models.config`: which versions a server loads, and what they are called."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from components.errors import UserError
from components.export.signatures import MODEL_NAME

# Beside the model's folder, where a server that mounts the serving folder finds it.
CONFIG_FILE = "models.config"


def config_path(model_dir: str) -> str:
    """Where the server's file is.

    Args:
        model_dir: of all versions.
    """
    return os.path.join(os.path.dirname(model_dir.rstrip("/")), CONFIG_FILE)


def models_config(
    base_path: str, labels: Mapping[str, int], also_load: Collection[int] = ()
) -> model_server_config_pb2.ModelServerConfig:
    """Makes a configuration.

    Args:
        base_path: of all versions, as the server sees it.
        labels: version by label; none: the server loads the newest version, whatever it is.
        also_load: versions without a label.

    Returns:
        The message.
    """
    made = model_server_config_pb2.ModelServerConfig()
    model = made.model_config_list.config.add(name=MODEL_NAME, base_path=base_path, model_platform="tensorflow")
    if labels or also_load:
        model.model_version_policy.specific.versions.extend(sorted({*labels.values(), *also_load}))
    else:
        model.model_version_policy.latest.num_versions = 1
    for label, version in sorted(labels.items()):
        model.version_labels[label] = version
    return made


def read_labels(path: str) -> dict[str, int]:
    """The labels in a file.

    Args:
        path: of a `models.config`; need not exist.

    Returns:
        Version by label.

    Raises:
        UserError: it is no such file.
    """
    return dict(_model(path).version_labels)


def versions_in_use(path: str) -> set[int]:
    """The versions that a file names, by a label or by policy.

    Args:
        path: of a `models.config`; need not exist.
    """
    model = _model(path)
    return {*model.version_labels.values(), *model.model_version_policy.specific.versions}


def to_text(config: model_server_config_pb2.ModelServerConfig) -> str:
    """As the server reads it."""
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
            f"{path} cannot be read as TF Serving's models.config: {error}. Remedy: mend it, or remove it; without it "
            "a server takes the newest version."
        ) from None
    models = [model for model in config.model_config_list.config if model.name == MODEL_NAME]
    return models[0] if models else model_server_config_pb2.ModelConfig()
