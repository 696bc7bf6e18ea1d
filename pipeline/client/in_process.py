"""The way without a server: a pushed model in this process, with TensorFlow alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from components.errors import UserError
from components.export.signatures import ITEMS, SCORES, SERVING, Predictions, PredictRequests
from components.features import ITEM_VOCABULARY, USER_VOCABULARY
from pipeline.client.transport import AVAILABLE, VersionStatus
from pipeline.console.log_capture import silence


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
            f"There is no model folder {model_dir}. Hint: pass what `caser run` printed, DIR/serving/caser, and look "
            "in DIR/metrics.json whether the model was blessed: only then it is pushed."
        )
    versions = [
        entry for entry in model_dir.iterdir() if entry.name.isdecimal() and (entry / "saved_model.pb").is_file()
    ]
    if not versions:
        raise UserError(f"{model_dir} holds no model version. Hint: pass the folder DIR/serving/caser of a run.")
    return max(versions, key=lambda entry: int(entry.name))


class InProcessTransport:
    """See `Transport`; besides, it knows the vocabularies, and so what was not understood."""

    def __init__(self, model_dir: Path) -> None:
        """Chooses the version; TensorFlow is loaded with the first question.

        Args:
            model_dir: as for `newest_version`.
        """
        self._version = newest_version(model_dir)

    def ask(self, requests: PredictRequests, version: int | None = None) -> tuple[Predictions, str]:
        """See `Transport`; there is one version only."""
        with silence():
            import tensorflow as tf

            answer = self._model.signatures[SERVING](
                **{name: tf.constant(rows, tf.string) for name, rows in requests._asdict().items()}
            )
        items = [[item.decode() for item in row] for row in answer[ITEMS].numpy()]
        return Predictions(items, answer[SCORES].numpy().tolist()), self._version.name

    def statuses(self) -> list[VersionStatus]:
        """See `Transport`."""
        return [VersionStatus(int(self._version.name), AVAILABLE, "")]

    def close(self) -> None:
        """See `Transport`."""

    def notes(self, user: str, history: Sequence[str]) -> list[str]:
        """What the user should know about an answer.

        Args:
            user: id.
            history: recent items.

        Returns:
            One sentence each; none where all was known.
        """
        notes = []
        if user not in self._users:
            notes.append(f"the user {user} is not known to the model: general taste is used.")
        ignored = list(dict.fromkeys(item for item in history if item not in self._items))
        if ignored:
            notes.append(f"not known to the model, so ignored: {', '.join(ignored)}.")
        if len(ignored) == len(set(history)):
            notes.append("without a history of known items the answer is what is popular. Pass --history A,B,C.")
        return notes

    @cached_property
    def _model(self) -> Any:
        import tensorflow as tf

        return tf.saved_model.load(str(self._version))

    @cached_property
    def _users(self) -> set[str]:
        return _vocabulary(self._version, USER_VOCABULARY)

    @cached_property
    def _items(self) -> set[str]:
        return _vocabulary(self._version, ITEM_VOCABULARY)


def _vocabulary(version: Path, name: str) -> set[str]:
    """The lines of a vocabulary, which the SavedModel carries as an asset."""
    file = version / "assets" / name
    return set(file.read_text(encoding="utf-8").split("\n")) - {""} if file.is_file() else set()
