"""Versions in an object store (`gs://`, `s3://`), which cannot rename: everything first, `saved_model.pb` last.

A reader may see a version's folder without `saved_model.pb` while it is uploaded. TF Serving then fails to load it,
keeps the version that serves, and tries again; so its retries should last longer than an upload
(`--max_num_load_retries`, `--load_retry_interval_micros`). It never sees a graph without its variables, which it would
take for whole. The schemes are those of the installed TensorFlow.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable

import tensorflow as tf

from components.export.model_info import MODEL_INFO_FILE, write_model_info
from components.pusher.version_dirs import digest, next_version

# What makes a folder a version that can be loaded.
_LAST = tf.saved_model.SAVED_MODEL_FILENAME_PB
_DIGEST = "digest"


def is_object_store(path: str) -> bool:
    """Whether a path has a scheme, so that it is no folder of this machine."""
    return "://" in path


def versions(model_dir: str) -> list[int]:
    """All versions that are whole, oldest first.

    Args:
        model_dir: URI; need not exist.
    """
    if not tf.io.gfile.isdir(model_dir):
        return []
    names = [name.rstrip("/") for name in tf.io.gfile.listdir(model_dir)]
    numbers = sorted(int(name) for name in names if name.isascii() and name.isdigit())
    return [number for number in numbers if tf.io.gfile.exists(f"{model_dir}/{number}/{_LAST}")]


def publish(source: str, model_dir: str, prepare: Callable[[str, int], None]) -> int:
    """As `components.pusher.version_dirs.publish`, by way of a copy on this machine.

    Args:
        source: SavedModel; a folder or a URI.
        model_dir: URI that gets the new version.
        prepare: see there.

    Returns:
        See there.
    """
    with tempfile.TemporaryDirectory() as folder:
        staged = os.path.join(folder, "model")
        fetch(source, staged)
        own = digest(staged)
        present = versions(model_dir)
        if present and _description(f"{model_dir}/{present[-1]}").get(_DIGEST) == own:
            return present[-1]
        version = next_version(present)
        prepare(staged, version)
        write_model_info(staged, {_DIGEST: own})
        _upload(staged, f"{model_dir}/{version}")
        return version


def remove(model_dir: str, version: int) -> None:
    """Takes a version away, `saved_model.pb` first, so that what is left is never taken for whole.

    Args:
        model_dir: URI of all versions.
        version: one of them.
    """
    tf.io.gfile.remove(f"{model_dir}/{version}/{_LAST}")
    tf.io.gfile.rmtree(f"{model_dir}/{version}")


def fetch(source: str, folder: str) -> None:
    """Copies a folder from wherever it is to this machine.

    Args:
        source: a folder or a URI.
        folder: new.
    """
    if not is_object_store(source):
        shutil.copytree(source, folder)
        return
    for path, _, names in tf.io.gfile.walk(source):
        target = os.path.join(folder, path[len(source) :].strip("/"))
        os.makedirs(target, exist_ok=True)
        for name in names:
            tf.io.gfile.copy(f"{path.rstrip('/')}/{name}", os.path.join(target, name))


def _upload(folder: str, target: str) -> None:
    files = [os.path.relpath(os.path.join(path, name), folder) for path, _, names in os.walk(folder) for name in names]
    try:
        for file in sorted(files, key=lambda name: (name == _LAST, name)):
            uri = f"{target}/{file}"
            tf.io.gfile.makedirs(os.path.dirname(uri))
            tf.io.gfile.copy(os.path.join(folder, file), uri)
    except BaseException:
        # The store may be out of reach too; then the rest stays, without a graph, and is no version.
        with contextlib.suppress(tf.errors.OpError):
            tf.io.gfile.rmtree(target)
        raise


def _description(folder: str) -> dict[str, object]:
    uri = f"{folder}/{MODEL_INFO_FILE}"
    if not tf.io.gfile.exists(uri):
        return {}
    with tf.io.gfile.GFile(uri) as file:
        return dict(json.loads(file.read()))
