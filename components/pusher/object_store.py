"""Versions in an object store (`gs://`, `s3://`), which has no atomic rename: `saved_model.pb` is uploaded last.

During an upload, a server may see a version without `saved_model.pb`. TF Serving then fails to load it, keeps serving
the former version and retries, so its retries should outlast an upload (`--max_num_load_retries`,
`--load_retry_interval_micros`). It never sees a graph without its variables. Supported schemes depend on the installed
TensorFlow.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable

import tensorflow as tf
from tenacity import retry, retry_if_exception_type, wait_random_exponential

from components.export.model_info import MODEL_INFO_FILE, write_model_info
from components.pusher.version_dirs import digest, next_version, version_number

# A version without this file cannot be loaded.
_LAST = tf.saved_model.SAVED_MODEL_FILENAME_PB
_DIGEST = "digest"
# Seconds. A request to an object store may fail for a moment; each of these can be repeated.
RETRY_SECONDS = 300.0
_repeated = retry(
    retry=retry_if_exception_type(
        (tf.errors.UnavailableError, tf.errors.DeadlineExceededError, tf.errors.AbortedError)
    ),
    wait=wait_random_exponential(multiplier=1, max=30),
    stop=lambda state: (state.seconds_since_start or 0) >= RETRY_SECONDS,
    reraise=True,
)


def is_object_store(path: str) -> bool:
    """Whether a path is a URI with a scheme."""
    return "://" in path


@_repeated
def version_folders(model_dir: str) -> dict[int, str]:
    """URI by version, of complete versions, oldest first.

    Args:
        model_dir: URI of all versions; may be missing.
    """
    if not tf.io.gfile.isdir(model_dir):
        return {}
    names = [name.rstrip("/") for name in tf.io.gfile.listdir(model_dir)]
    numbered = sorted((number, name) for name in names if (number := version_number(name)) is not None)
    folders = {number: f"{model_dir.rstrip('/')}/{name}" for number, name in numbered}
    return {number: folder for number, folder in folders.items() if tf.io.gfile.exists(f"{folder}/{_LAST}")}


def versions(model_dir: str) -> list[int]:
    """All complete versions, oldest first.

    Args:
        model_dir: URI of all versions; may be missing.
    """
    return list(version_folders(model_dir))


def publish(source: str, model_dir: str, prepare: Callable[[str, int], None]) -> int:
    """Publishes a new version from a local copy, like `components.pusher.version_dirs.publish`.

    Args:
        source: directory or URI of a SavedModel.
        model_dir: URI of all versions.
        prepare: called with the local copy and its version before the upload; an exception aborts the push.

    Returns:
        The new version, or the newest one if the model equals it.
    """
    with tempfile.TemporaryDirectory() as folder:
        staged = os.path.join(folder, "model")
        fetch(source, staged)
        source_digest = digest(staged)
        folders = version_folders(model_dir)
        present = list(folders)
        if present and _model_info(folders[present[-1]]).get(_DIGEST) == source_digest:
            return present[-1]
        version = next_version(present)
        prepare(staged, version)
        write_model_info(staged, {_DIGEST: source_digest})
        _upload(staged, f"{model_dir}/{version}")
        return version


def remove(model_dir: str, version: int) -> None:
    """Removes a version, `saved_model.pb` first, so that an incomplete rest is never loaded.

    Args:
        model_dir: URI of all versions.
        version: version to remove.
    """
    folder = version_folders(model_dir)[version]
    tf.io.gfile.remove(f"{folder}/{_LAST}")
    tf.io.gfile.rmtree(folder)


@_repeated
def fetch(source: str, folder: str) -> None:
    """Copies a directory to this machine.

    Args:
        source: directory or URI.
        folder: new local directory.
    """
    if not is_object_store(source):
        shutil.copytree(source, folder, dirs_exist_ok=True)
        return
    for path, _, names in tf.io.gfile.walk(source):
        target = os.path.join(folder, path[len(source) :].strip("/"))
        os.makedirs(target, exist_ok=True)
        for name in names:
            tf.io.gfile.copy(f"{path.rstrip('/')}/{name}", os.path.join(target, name), overwrite=True)


def _upload(folder: str, target: str) -> None:
    files = [os.path.relpath(os.path.join(path, name), folder) for path, _, names in os.walk(folder) for name in names]
    try:
        for file in sorted(files, key=lambda name: (name == _LAST, name)):
            uri = f"{target}/{file}"
            _copy(os.path.join(folder, file), uri)
    except BaseException:
        # If the store is unreachable, the rest stays behind without a graph, which is not a version.
        with contextlib.suppress(tf.errors.OpError):
            tf.io.gfile.rmtree(target)
        raise


@_repeated
def _copy(file: str, uri: str) -> None:
    tf.io.gfile.makedirs(os.path.dirname(uri))
    tf.io.gfile.copy(file, uri, overwrite=True)


@_repeated
def _model_info(folder: str) -> dict[str, object]:
    uri = f"{folder}/{MODEL_INFO_FILE}"
    if not tf.io.gfile.exists(uri):
        return {}
    with tf.io.gfile.GFile(uri) as file:
        return dict(json.loads(file.read()))
