"""Writes a `models.config` as `caser promote` would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from tensorflow_serving.config import model_server_config_pb2

from components.pusher.models_config import CONFIG_FILE, LabelMove, ServedModel, specific, to_text, with_model


def empty_version(model_dir: Path, name: int | str) -> Path:
    """A version as far as file names go: a directory with an empty graph."""
    folder = model_dir / str(name)
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").touch()
    return folder


def write_config(
    folder: Path, labels: Mapping[str, int], also_load: Iterable[int] = (), moves: tuple[LabelMove, ...] = ()
) -> str:
    served = ServedModel(labels, specific([*labels.values(), *also_load]), moves)
    file = folder / CONFIG_FILE
    file.write_text(to_text(with_model(model_server_config_pb2.ModelServerConfig(), served), served))
    return str(file)
