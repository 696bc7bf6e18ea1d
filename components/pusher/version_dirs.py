"""Version folders as TF Serving reads them: the highest number below the model's folder is the newest."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence

from components.export.model_info import EXTRA

# TF Serving takes folders whose name is a number for versions, and no others.
_STAGING = ".staging-"
_CHUNK_BYTES = 1 << 20


def versions(model_dir: str) -> list[int]:
    """All versions, oldest first.

    Args:
        model_dir: such as `<output>/serving/caser`; need not exist.
    """
    names = os.listdir(model_dir) if os.path.isdir(model_dir) else []
    return sorted(int(name) for name in names if name.isascii() and name.isdigit())


def publish(source: str, model_dir: str, prepare: Callable[[str, int], None]) -> int:
    """Makes a new version appear all at once: copied beside the others, prepared, renamed.

    Args:
        source: SavedModel to copy.
        model_dir: gets the new version.
        prepare: is called with the copy and its version before it becomes visible; it may complete the copy, and what
            it raises stops the push.

    Returns:
        The version: unix seconds, or one more than the newest version where that is not less. A model whose files
        equal those of the newest version is not published again; its version is returned.
    """
    os.makedirs(model_dir, exist_ok=True)
    with _one_at_a_time(model_dir):
        _remove_leftovers(model_dir)
        present = versions(model_dir)
        if present and digest(os.path.join(model_dir, str(present[-1]))) == digest(source):
            return present[-1]
        version = next_version(present)
        staged = os.path.join(model_dir, f"{_STAGING}{uuid.uuid4().hex}")
        try:
            shutil.copytree(source, staged)
            prepare(staged, version)
            _flush(staged)
            os.rename(staged, os.path.join(model_dir, str(version)))
            _flush_folder(model_dir)
            return version
        finally:
            shutil.rmtree(staged, ignore_errors=True)


def next_version(present: Sequence[int]) -> int:
    """Unix seconds, or one more than the newest of `present`, oldest first."""
    return max(int(time.time()), present[-1] + 1 if present else 0)


def superfluous(present: Sequence[int], keep: int, in_use: Collection[int]) -> list[int]:
    """Versions that need not be kept.

    Args:
        present: all versions, oldest first.
        keep: how many of the newest ones stay, at least 1: the newest is what a server takes by itself.
        in_use: those that a label or a policy of the server names; they stay too.

    Returns:
        The others, oldest first.
    """
    return [version for version in present[: -max(keep, 1)] if version not in in_use]


def remove(model_dir: str, version: int) -> None:
    """Takes a version away at once: a reader sees all of it, or nothing.

    Args:
        model_dir: of all versions.
        version: one of them.
    """
    leaving = os.path.join(model_dir, f"{_STAGING}{uuid.uuid4().hex}")
    os.rename(os.path.join(model_dir, str(version)), leaving)
    shutil.rmtree(leaving, ignore_errors=True)


def digest(folder: str) -> str:
    """Of all names and contents below a folder, but for `assets.extra`, which does not decide what a model answers."""
    total = hashlib.sha256()
    for path, _, names in sorted(os.walk(folder)):
        if EXTRA in os.path.relpath(path, folder).split(os.sep):
            continue
        for name in sorted(names):
            total.update(os.path.relpath(os.path.join(path, name), folder).encode() + b"\0")
            with open(os.path.join(path, name), "rb") as file:
                while chunk := file.read(_CHUNK_BYTES):
                    total.update(chunk)
            total.update(b"\0")
    return total.hexdigest()


@contextlib.contextmanager
def _one_at_a_time(model_dir: str) -> Iterator[None]:
    """Lets a second push to the same folder wait. The system frees the lock of a push that was killed."""
    with open(f"{model_dir.rstrip('/')}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_leftovers(model_dir: str) -> None:
    """Of pushes that were killed."""
    for name in os.listdir(model_dir):
        if name.startswith(_STAGING):
            shutil.rmtree(os.path.join(model_dir, name), ignore_errors=True)


def _flush(folder: str) -> None:
    """Brings a copy to the disk, so that not even a power cut leaves a version without its content."""
    for path, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(path, name), "rb") as file:
                os.fsync(file.fileno())
        _flush_folder(path)


def _flush_folder(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
