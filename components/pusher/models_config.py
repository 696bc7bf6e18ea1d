"""TF Serving's `models.config`: which versions of which models a server loads, and their labels.

The last line is a comment for `caser rollback`: where labels pointed before, since TF Serving has no field for it. A
file has one owner per model: all of `components.pusher` and `pipeline.deployment` changes the model `caser` only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from google.protobuf import text_format
from tensorflow_serving.config import file_system_storage_path_source_pb2, model_server_config_pb2

from components.errors import UserError
from components.export.signatures import MODEL_NAME

# In the serving directory, beside the model's directory.
CONFIG_FILE = "models.config"
# Where the servers of `kubeflow/serving` see the directory of the versions.
BASE_PATH = "/models/caser"
_COMMENT = "# caser: "
_KEPT_MOVES = 20
_Policy: Any = file_system_storage_path_source_pb2.FileSystemStoragePathSourceConfig.ServableVersionPolicy


class LabelMove(NamedTuple):
    """A label was assigned to a version.

    Attributes:
        label: name of the label.
        version: the version that it was assigned to.
        before: the version that it was assigned to before; None: it did not exist.
        policy: the version policy before, in text format, without labelled versions.
    """

    label: str
    version: int
    before: int | None
    policy: str


class ServedModel(NamedTuple):
    """What servers do with the model `caser`.

    Attributes:
        labels: version by label.
        policy: which versions servers load, a `ServableVersionPolicy`.
        moves: earlier moves of labels, oldest first.
        settled: the policy before an unfinished promotion, in text format; None: none is unfinished.
    """

    labels: Mapping[str, int] = {}
    policy: Any = _Policy(latest=_Policy.Latest(num_versions=1))
    moves: Sequence[LabelMove] = ()
    settled: str | None = None


class ModelsConfig(NamedTuple):
    """A `models.config` with all its models.

    Attributes:
        text: the text of the file; None: there is no file.
        message: the protobuf message.
        served: the model `caser` in it.
    """

    text: str | None
    message: model_server_config_pb2.ModelServerConfig
    served: ServedModel


def config_path(model_dir: str) -> str:
    """Path of `models.config`.

    Args:
        model_dir: directory of all versions.
    """
    return os.path.join(os.path.dirname(model_dir.rstrip("/")), CONFIG_FILE)


def specific(versions: Sequence[int]) -> Any:
    """The policy that loads exactly these versions."""
    return _Policy(specific=_Policy.Specific(versions=sorted(set(versions))))


def unlabelled_policy(served: ServedModel) -> Any:
    """The version policy without the labelled versions."""
    if not served.policy.HasField("specific"):
        return served.policy
    return specific([version for version in served.policy.specific.versions if version not in served.labels.values()])


def policy_text(policy: Any) -> str:
    """A policy in text format, on one line."""
    return text_format.MessageToString(policy, as_one_line=True).strip()


def parse_policy(text: str) -> Any:
    """The reverse of `policy_text`."""
    return text_format.Parse(text, _Policy())


def read_config(path: str) -> ModelsConfig:
    """Reads a `models.config`.

    Args:
        path: path of the file; if it is missing, servers load the newest version.

    Raises:
        UserError: the file is malformed.
    """
    message = model_server_config_pb2.ModelServerConfig()
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        text_format.Parse(text, message)
    except FileNotFoundError:
        return ModelsConfig(None, with_model(message, ServedModel(), BASE_PATH), ServedModel())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise UserError(
            f"{path} is not a valid models.config of TF Serving: {error}. Hint: fix or delete it; without it "
            "servers load the newest version."
        ) from None
    model = _model(message)
    if model is None:
        return ModelsConfig(text, message, ServedModel())
    moves, settled = _comment(path, text)
    served = ServedModel(dict(model.version_labels), model.model_version_policy, moves, settled)
    return ModelsConfig(text, message, served)


def with_model(
    config: model_server_config_pb2.ModelServerConfig, served: ServedModel, base_path: str | None = None
) -> model_server_config_pb2.ModelServerConfig:
    """A copy of a configuration in which only policy and labels of the model `caser` are changed.

    Args:
        config: configuration of all models; the model is added if it is missing.
        served: policy and labels.
        base_path: directory of all versions, as the server sees it; None: as in `config`.

    Returns:
        The protobuf message.
    """
    changed = model_server_config_pb2.ModelServerConfig()
    changed.CopyFrom(config)
    model = _model(changed)
    if model is None:
        model = changed.model_config_list.config.add(name=MODEL_NAME, model_platform="tensorflow", base_path=BASE_PATH)
    model.base_path = base_path or model.base_path
    model.model_version_policy.CopyFrom(served.policy)
    model.version_labels.clear()
    model.version_labels.update(served.labels)
    return changed


def to_text(config: model_server_config_pb2.ModelServerConfig, served: ServedModel) -> str:
    """A configuration in protobuf text format, as servers read it.

    Args:
        config: configuration of all models.
        served: what is known about the model `caser` beyond its fields.
    """
    notes: dict[str, object] = {}
    if served.moves:
        notes["moves"] = [list(move) for move in served.moves[-_KEPT_MOVES:]]
    if served.settled is not None:
        notes["settled"] = served.settled
    text = str(text_format.MessageToString(config))
    return f"{text}{_COMMENT}{json.dumps(notes)}\n" if notes else text


def read_labels(path: str) -> dict[str, int]:
    """The versions of the model `caser` by label.

    Args:
        path: path of a `models.config`; may be missing.

    Raises:
        UserError: the file is malformed.
    """
    return dict(read_config(path).served.labels)


def version_before(served: ServedModel, label: str) -> LabelMove | None:
    """The move that assigned a label to its version; a rollback undoes it.

    Args:
        served: see `ServedModel`.
        label: the label.

    Returns:
        The move; one that is made up if somebody else changed the label in the file since the last recorded move; None
        if it is not known where the label pointed before.
    """
    moves = [move for move in served.moves if move.label == label]
    version = served.labels.get(label)
    if not moves or version is None:
        return None
    if moves[-1].version != version:
        return LabelMove(label, version, moves[-1].version, policy_text(unlabelled_policy(served)))
    return moves[-1]


def versions_in_use(path: str) -> set[int]:
    """The versions named by a label or by the version policy, and those that a rollback would need.

    Args:
        path: path of a `models.config`; may be missing.

    Raises:
        UserError: the file is malformed.
    """
    served = read_config(path).served
    undone = [move for label in served.labels if (move := version_before(served, label))]
    before = {move.before for move in undone if move.before is not None}
    unlabelled = {version for move in undone for version in parse_policy(move.policy).specific.versions}
    return {*served.labels.values(), *served.policy.specific.versions, *before, *unlabelled}


def _model(config: model_server_config_pb2.ModelServerConfig) -> model_server_config_pb2.ModelConfig | None:
    return next((model for model in config.model_config_list.config if model.name == MODEL_NAME), None)


def _comment(path: str, text: str) -> tuple[tuple[LabelMove, ...], str | None]:
    lines = [line for line in text.splitlines() if line.startswith(_COMMENT)]
    if not lines:
        return (), None
    try:
        notes = json.loads(lines[-1].removeprefix(_COMMENT))
        settled = notes.get("settled")
        if settled is not None:
            parse_policy(settled)
        return tuple(LabelMove(*move) for move in notes.get("moves", ())), settled
    except (ValueError, TypeError, AttributeError, text_format.ParseError):
        raise UserError(
            f"{path}: the comment of `caser promote` is damaged. Received: {lines[-1][:200]} "
            "Hint: delete that line; `caser rollback` then does not know the former versions."
        ) from None
