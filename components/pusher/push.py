"""Releases a model: a verified new version for the server, and old versions out of the way."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import Any

import tensorflow as tf

from components.errors import UserError
from components.export.model_info import write_model_info
from components.pusher import object_store, version_dirs
from components.pusher.models_config import config_path, versions_in_use
from components.pusher.verification import verify_model


def push_model(source: str, model_dir: str, keep: int, facts: dict[str, Any]) -> int:
    """Publishes a model unless it is the newest version already, and removes superfluous versions.

    Args:
        source: SavedModel; a folder or a URI.
        model_dir: of all versions; a folder, local or mounted, or a URI of an object store.
        keep: versions that stay.
        facts: for the version's description, see `components.export.model_info`.

    Returns:
        The version.

    Raises:
        UserError: the model does not pass its verification, or the folder cannot be written. What was there is
            untouched.
    """

    def prepare(staged: str, version: int) -> None:
        write_model_info(staged, {"version": version, **facts})
        _verify(staged)

    try:
        if object_store.is_object_store(model_dir):
            version = object_store.publish(source, model_dir, prepare)
            # No `models.config` is looked for beside a store: nothing but the newest is known to be in use.
            for old in version_dirs.superfluous(object_store.versions(model_dir), keep, ()):
                object_store.remove(model_dir, old)
            return version
        with tempfile.TemporaryDirectory() as folder:
            if object_store.is_object_store(source):
                object_store.fetch(source, os.path.join(folder, "model"))
                source = os.path.join(folder, "model")
            # Read first: a file that cannot be read stops the push, instead of failing it afterwards.
            in_use = versions_in_use(config_path(model_dir))
            version = version_dirs.publish(source, model_dir, prepare)
        for old in version_dirs.superfluous(version_dirs.versions(model_dir), keep, in_use):
            version_dirs.remove(model_dir, old)
        return version
    except (OSError, tf.errors.OpError) as error:
        said = getattr(error, "strerror", None) or getattr(error, "message", None) or error
        raise UserError(
            f"The model was not pushed to {model_dir}: {said}. The versions there are untouched. Remedy: see that the "
            "folder can be written to and has room."
        ) from error


def _verify(folder: str) -> None:
    """In a fresh process, which has what a server has: TensorFlow, and nothing of ours in its registries."""
    result = subprocess.run(
        [sys.executable, "-m", verify_model.__name__, folder],
        capture_output=True,
        text=True,
        check=False,
        # This process may hold all memory of the GPUs.
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
    )
    if result.returncode:
        lines = result.stderr.strip().splitlines() or ["it ended without a word"]
        raise UserError(f"The model was not pushed, since a fresh process cannot use it: {lines[-1]}")
