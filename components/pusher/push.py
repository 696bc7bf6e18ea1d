"""Pushes a model: verify it, publish it as a new version, remove old versions."""

from __future__ import annotations

import logging
import os
import subprocess
import tempfile
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from components.errors import UserError
from components.export.model_info import write_model_info
from components.processes import isolated_command
from components.pusher import object_store, version_dirs
from components.pusher.model_card import Evidence, renumber_model_card, write_model_card
from components.pusher.models_config import config_path, versions_in_use
from components.pusher.verification import verify_model

_log = logging.getLogger(__name__)


def push_model(
    source: str,
    model_dir: str,
    keep: int,
    info: dict[str, Any],
    evidence: Evidence | None = None,
    allow_no_warmup: bool = False,
    warn: Callable[[str], None] = _log.warning,
) -> int:
    """Publishes a model, unless it equals the newest version, and removes old versions.

    Args:
        source: directory or URI of a SavedModel.
        model_dir: directory of all versions, or its URI in an object store.
        keep: number of versions to keep.
        info: entries for the model info, see `components.export.model_info`.
        evidence: for the model card; None: that of the source is kept.
        allow_no_warmup: whether the file of warm-up requests may be missing.
        warn: is called if old versions could not be removed.

    Returns:
        The version.

    Raises:
        UserError: the verification fails or the directory cannot be written; existing versions are unchanged.
    """

    def prepare(staged: str, version: int) -> None:
        write_model_info(staged, {"version": version, **info})
        if evidence is None:
            renumber_model_card(staged, version)
        else:
            write_model_card(staged, evidence)
        verify_in_subprocess(staged, allow_no_warmup)

    try:
        if object_store.is_object_store(model_dir):
            version = object_store.publish(source, model_dir, prepare)
            _remove_old(model_dir, keep, warn)
            return version
        with tempfile.TemporaryDirectory() as folder:
            if object_store.is_object_store(source):
                object_store.fetch(source, os.path.join(folder, "model"))
                source = os.path.join(folder, "model")
            # Read first, so that an unreadable file fails the push before anything changes.
            versions_in_use(config_path(model_dir))
            version = version_dirs.publish(source, model_dir, prepare)
        _remove_old(model_dir, keep, warn)
        return version
    except (OSError, tf.errors.OpError) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "message", None) or error
        raise UserError(
            f"Push to {model_dir} failed: {reason}. Existing versions are unchanged. "
            "Hint: check permissions and free space."
        ) from error


def _remove_old(model_dir: str, keep: int, warn: Callable[[str], None]) -> None:
    """Removes old versions. The new one is in place by now, so a failure is a warning."""
    old = None
    try:
        if object_store.is_object_store(model_dir):
            # There is no `models.config` in an object store; only the newest version is known to be in use.
            for old in version_dirs.removable(object_store.versions(model_dir), keep, ()):
                object_store.remove(model_dir, old)
            return
        # Read again: a promotion may have begun meanwhile.
        in_use = versions_in_use(config_path(model_dir))
        for old in version_dirs.removable(version_dirs.versions(model_dir), keep, in_use):
            version_dirs.remove(model_dir, old)
    except (OSError, tf.errors.OpError, UserError) as error:
        what = "old versions" if old is None else f"old version {old}"
        warn(f"The model is published, but {what} in {model_dir} could not be removed: {error}")


def verify_in_subprocess(folder: str, allow_no_warmup: bool = False) -> None:
    """Verifies in a fresh process, which like a server has TensorFlow but no op or class of ours registered."""
    options = [verify_model.ALLOW_NO_WARMUP] if allow_no_warmup else []
    result = subprocess.run(
        isolated_command(verify_model.__name__, [folder, *options]),
        capture_output=True,
        text=True,
        check=False,
        # The current process may occupy all GPU memory.
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
    )
    if result.returncode:
        lines = result.stderr.strip().splitlines() or ["the process exited without output"]
        raise UserError(f"The model was not pushed: verification in a separate process failed: {lines[-1]}")
