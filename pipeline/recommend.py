"""Asks a pushed model in this process, with TensorFlow alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from components.contracts import ITEM_VOCABULARY, SERVING, USER_VOCABULARY
from components.errors import UserError
from pipeline.log_file import silence


class Recommendations(NamedTuple):
    """The answer: the best item first.

    Attributes:
        user: who was asked for.
        version: of the model.
        item_ids: at most k.
        scores: of the items, falling; comparable within one answer only.
        notes: what the user should know about this answer.
    """

    user: str
    version: str
    item_ids: list[str]
    scores: list[float]
    notes: list[str]


def newest_version(model_dir: Path) -> Path:
    """The newest version below a model's folder, by number, as TF Serving chooses it.

    Args:
        model_dir: holds a folder per version; a version's own folder is taken as it is.

    Raises:
        UserError: there is no model.
    """
    if (model_dir / "saved_model.pb").is_file():
        return model_dir
    if not model_dir.is_dir():
        raise UserError(
            f"There is no model folder {model_dir}. Remedy: pass what `caser run` printed, DIR/serving/caser, and look "
            "in DIR/metrics.json whether the model was blessed: only then it is pushed."
        )
    versions = [
        entry for entry in model_dir.iterdir() if entry.name.isdecimal() and (entry / "saved_model.pb").is_file()
    ]
    if not versions:
        raise UserError(f"{model_dir} holds no model version. Remedy: pass the folder DIR/serving/caser of a run.")
    return max(versions, key=lambda entry: int(entry.name))


def recommend(model_dir: Path, user: str, history: Sequence[str], k: int) -> Recommendations:
    """Loads the newest version and asks it.

    Args:
        model_dir: as for `newest_version`.
        user: id of a user; one that the model does not know gets general taste.
        history: recent items, oldest first; those that the model does not know are ignored.
        k: how many items.

    Returns:
        At most k items.

    Raises:
        UserError: there is no model, or it does not give as many as k items.
    """
    version = newest_version(model_dir)
    notes = _notes(version, user, history)
    with silence():
        import tensorflow as tf

        answer = tf.saved_model.load(str(version)).signatures[SERVING](
            user_id=tf.constant([user]),
            recent_item_ids=tf.constant([list(history)], tf.string, shape=(1, len(history))),
            exclude_item_ids=tf.constant([[]], tf.string, shape=(1, 0)),
        )
    item_ids = [item.decode() for item in answer["item_ids"].numpy()[0]]
    scores = [float(score) for score in answer["scores"].numpy()[0]]
    if k > len(item_ids):
        raise UserError(
            f"This model gives at most {len(item_ids)} items. Received: -k {k}. "
            "Remedy: ask for fewer, or run again with a larger `export.k` (the catalogue is the limit)."
        )
    # Fewer items than asked for are left where the user has seen nearly all: the rest is "".
    given = [(item, score) for item, score in zip(item_ids[:k], scores, strict=False) if item]
    return Recommendations(user, version.name, [item for item, _ in given], [score for _, score in given], notes)


def _notes(version: Path, user: str, history: Sequence[str]) -> list[str]:
    notes = []
    if user not in _vocabulary(version, USER_VOCABULARY):
        notes.append(f"the user {user} is not known to the model: general taste is used.")
    known = _vocabulary(version, ITEM_VOCABULARY)
    ignored = list(dict.fromkeys(item for item in history if item not in known))
    if ignored:
        notes.append(f"not known to the model, so ignored: {', '.join(ignored)}.")
    if len(ignored) == len(set(history)):
        notes.append("without a history of known items the answer is what is popular. Pass --history A,B,C.")
    return notes


def _vocabulary(version: Path, name: str) -> set[str]:
    """The lines of a vocabulary, which the SavedModel carries as an asset."""
    file = version / "assets" / name
    return set(file.read_text(encoding="utf-8").split("\n")) - {""} if file.is_file() else set()
