"""Transport without a server: a published model in this process, using TensorFlow only."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from components.errors import UserError
from components.export.encoding import encoded_examples
from components.export.signatures import (
    ITEM,
    ITEMS,
    SCORES,
    SERVE_TF_EXAMPLE,
    SIMILAR_ITEMS,
    Predictions,
    PredictRequests,
    SimilarPredictions,
    decoded,
)
from components.features import ITEM_VOCABULARY, USER_VOCABULARY
from components.files import register_file_system
from components.pusher.version_dirs import version_folder, version_number, versions
from pipeline.client.transport import AVAILABLE, VersionStatus
from pipeline.client.validation import check_predictions, check_similar
from pipeline.console.log_capture import suppress_output


def newest_version(model_dir: Path) -> Path:
    """The newest complete version below a model directory, by number, as TF Serving chooses it.

    Args:
        model_dir: directory of all versions, or of a single version.

    Raises:
        UserError: there is no model.
    """
    if (model_dir / "saved_model.pb").is_file():
        return model_dir
    if not model_dir.is_dir():
        what = "is a file" if model_dir.exists() else "does not exist"
        raise UserError(
            f"Model directory {model_dir} {what}. Hint: pass DIR/serving/caser of a run, and check in "
            "DIR/metrics.json that the model was blessed: only blessed models are published."
        )
    complete = versions(str(model_dir))
    if not complete:
        raise UserError(f"{model_dir} contains no model version. Hint: pass the directory DIR/serving/caser of a run.")
    return Path(version_folder(str(model_dir), complete[-1]))


@contextlib.contextmanager
def local_version(model: str) -> Iterator[Path]:
    """The newest version of a model, copied to this machine if it is in an object store.

    Args:
        model: directory, or URI, of all versions or of a single version.

    Raises:
        UserError: there is no model.
    """
    if "://" not in model:
        yield newest_version(Path(model))
        return
    with tempfile.TemporaryDirectory() as folder:
        yield newest_version(_fetch(model, Path(folder)))


class InProcessTransport:
    """A `Transport` in this process; it reads the vocabularies and notes unknown users and items.

    Attributes:
        folder: directory of the version.
    """

    def __init__(self, model_dir: str | Path) -> None:
        """Chooses the version; TensorFlow is imported by the first prediction.

        Args:
            model_dir: directory, or URI, of all versions or of a single version.

        Raises:
            UserError: there is no model.
        """
        if "://" in str(model_dir):
            self._fetched = tempfile.TemporaryDirectory()
            model_dir = _fetch(str(model_dir), Path(self._fetched.name))
        self.folder = newest_version(Path(model_dir))

    def predict(
        self, requests: PredictRequests, version: int | None = None, candidates: Sequence[list[str]] | None = None
    ) -> tuple[Predictions, str]:
        """Runs the model; there is one version only."""
        outputs = self._outputs(SERVE_TF_EXAMPLE, examples=encoded_examples(requests, candidates))
        checked = check_predictions(outputs.get(ITEMS), outputs.get(SCORES), len(requests.user_id), str(self.folder))
        return checked, self.folder.name

    def similar(self, items: Sequence[str]) -> tuple[SimilarPredictions, str]:
        """Finds similar items."""
        outputs = self._outputs(SIMILAR_ITEMS, **{ITEM: list(items)})
        return check_similar(outputs, len(items), str(self.folder)), self.folder.name

    def _outputs(self, signature: str, **inputs: Sequence[str | bytes]) -> dict[str, list[Any]]:
        with suppress_output():
            import tensorflow as tf

            try:
                if signature == SIMILAR_ITEMS and signature not in self._model.signatures:
                    raise UserError(
                        f"{self.folder} was exported by an older version, which has no {signature}. "
                        "Hint: train and push it again."
                    )
                tensors = {name: tf.constant(values, tf.string) for name, values in inputs.items()}
                outputs = self._model.signatures[signature](**tensors)
                return {name: decoded(output.numpy()) for name, output in outputs.items()}
            except (OSError, ValueError, KeyError, TypeError, AttributeError, tf.errors.OpError) as error:
                reason = " ".join(str(error).split())[:200]
                raise UserError(
                    f"{self.folder} is no model of this project that can be used: {type(error).__name__}: {reason}. "
                    "Hint: pass DIR/serving/caser of a run; `caser versions --model DIR` lists complete versions."
                ) from error

    def statuses(self) -> list[VersionStatus]:
        """The only version, which is available."""
        return [VersionStatus(version_number(self.folder.name) or 0, AVAILABLE, "")]

    def close(self) -> None:
        """Nothing to close."""

    def notes(self, user: str, history: Sequence[str]) -> list[str]:
        """Notes unknown users, unknown items and empty histories.

        Args:
            user: user id.
            history: recent items.
        """
        notes = []
        if user not in self._users:
            notes.append(f"unknown user {user}: using the shared user embedding.")
        ignored = list(dict.fromkeys(item for item in history if item not in self._items))
        if ignored:
            notes.append(f"unknown items ignored: {', '.join(ignored)}.")
        if len(ignored) == len(set(history)):
            notes.append("no known items in the history: returning popular items. Hint: pass --history A,B,C.")
        return notes

    @cached_property
    def _model(self) -> Any:
        import tensorflow as tf

        return tf.saved_model.load(str(self.folder))

    @cached_property
    def _users(self) -> set[str]:
        return _vocabulary(self.folder, USER_VOCABULARY)

    @cached_property
    def _items(self) -> set[str]:
        return _vocabulary(self.folder, ITEM_VOCABULARY)


def _fetch(uri: str, folder: Path) -> Path:
    """Copies a version from an object store; the newest one if `uri` has several."""
    with suppress_output():
        import tensorflow as tf

        from components.pusher.object_store import fetch, version_folders

        register_file_system(uri)
        try:
            source = uri.rstrip("/")
            if not tf.io.gfile.exists(f"{source}/saved_model.pb"):
                folders = version_folders(source)
                if not folders:
                    raise UserError(f"{uri} contains no model version. Hint: pass the URI DIR/serving/caser of a run.")
                source = folders[max(folders)]
            target = folder / source.rpartition("/")[2]
            fetch(source, str(target))
        except tf.errors.OpError as error:
            raise UserError(
                f"{uri} cannot be read: {' '.join(str(error.message).split())[:300]}. "
                "Hint: check the URI, and that this machine is logged in with the right to read it."
            ) from None
        return target


def _vocabulary(version: Path, name: str) -> set[str]:
    """The lines of a vocabulary, an asset of the SavedModel."""
    file = version / "assets" / name
    return set(file.read_text(encoding="utf-8").split("\n")) - {""} if file.is_file() else set()
