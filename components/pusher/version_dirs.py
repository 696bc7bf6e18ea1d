"""Version directories as TF Serving reads them: publish atomically, list, remove."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Callable, Collection, Sequence

from components.errors import UserError
from components.export.model_info import MODEL_CARD_FILE, MODEL_INFO_FILE
from components.files import exclusive_lock

# TF Serving ignores directories whose name is not a number.
_STAGING = ".staging-"
# Beyond int64, TF Serving ignores a name.
_MAX_VERSION = 2**63 - 1
_CHUNK_BYTES = 1 << 20


def versions(model_dir: str) -> list[int]:
    """All versions that a server can load, oldest first.

    Args:
        model_dir: directory of all versions, such as `<output>/serving/caser`; may be missing.
    """
    return sorted(version for version, folder in version_folders(model_dir).items() if is_complete(folder))


def version_folders(model_dir: str) -> dict[int, str]:
    """Path by version, in the order of the versions; some may be incomplete, such as copies that have not ended.

    Args:
        model_dir: directory of all versions; may be missing.
    """
    names = os.listdir(model_dir) if os.path.isdir(model_dir) else []
    # Of `1` and `0001`, the shorter name is kept.
    numbered = sorted(
        (
            (number, len(name), os.path.join(model_dir, name))
            for name in names
            if (number := version_number(name)) is not None
        ),
        reverse=True,
    )
    return dict(sorted((number, folder) for number, _, folder in numbered if os.path.isdir(folder)))


def version_number(name: str) -> int | None:
    """The version that TF Serving reads from a name: `0000001` is 1; None for names that it ignores."""
    if not (name.isascii() and name.isdigit()) or int(name) > _MAX_VERSION:
        return None
    return int(name)


def version_folder(model_dir: str, version: int) -> str:
    """Path of a version, whether it exists or not."""
    return version_folders(model_dir).get(version, os.path.join(model_dir, str(version)))


def is_complete(folder: str) -> bool:
    """Whether a directory has a graph, without which no server loads it."""
    return os.path.isfile(os.path.join(folder, "saved_model.pb"))


def publish(source: str, model_dir: str, prepare: Callable[[str, int], None]) -> int:
    """Publishes a new version atomically: copy to a staging directory, prepare, rename.

    Args:
        source: SavedModel to copy.
        model_dir: directory of all versions.
        prepare: called with the staged copy and its version before it becomes visible; it may add files, and an
            exception aborts the push.

    Returns:
        The version: unix time in seconds, or the newest version plus one if that is larger. If the model equals the
        newest version, nothing is published and that version is returned.
    """
    os.makedirs(model_dir, exist_ok=True)
    # Pushes to one directory run one after the other.
    with exclusive_lock(f"{model_dir.rstrip('/')}.lock"):
        _remove_leftovers(model_dir)
        present = versions(model_dir)
        if present and digest(version_folder(model_dir, present[-1])) == digest(source):
            return present[-1]
        version = next_version([*version_folders(model_dir)])
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
    """Unix time in seconds, or the newest of `present` (oldest first) plus one if that is larger.

    Raises:
        UserError: there is no larger number.
    """
    version = max(int(time.time()), present[-1] + 1 if present else 0)
    if version > _MAX_VERSION:
        raise UserError(
            f"Version {present[-1]} is the largest that TF Serving reads, so no newer one can be published. "
            "Hint: remove that version, or push to another directory."
        )
    return version


def removable(present: Sequence[int], keep: int, in_use: Collection[int]) -> list[int]:
    """Versions that can be removed.

    Args:
        present: all versions, oldest first.
        keep: number of newest versions to keep; at least one, since servers load the newest by default.
        in_use: versions named by a label or policy of the server; they are kept, too.

    Returns:
        The other versions, oldest first.
    """
    return [version for version in present[: -max(keep, 1)] if version not in in_use]


def remove(model_dir: str, version: int) -> None:
    """Removes a version atomically.

    Args:
        model_dir: directory of all versions.
        version: version to remove.
    """
    removed = os.path.join(model_dir, f"{_STAGING}{uuid.uuid4().hex}")
    os.rename(version_folder(model_dir, version), removed)
    shutil.rmtree(removed, ignore_errors=True)


def digest(folder: str) -> str:
    """SHA-256 of all file names and contents except model info and model card, which a push completes."""
    sha = hashlib.sha256()
    for path, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            relative = os.path.relpath(os.path.join(path, name), folder)
            if relative in (MODEL_INFO_FILE, MODEL_CARD_FILE):
                continue
            sha.update(relative.encode() + b"\0")
            with open(os.path.join(path, name), "rb") as file:
                while chunk := file.read(_CHUNK_BYTES):
                    sha.update(chunk)
            sha.update(b"\0")
    return sha.hexdigest()


def _remove_leftovers(model_dir: str) -> None:
    """Removes staging directories of killed pushes."""
    for name in os.listdir(model_dir):
        if name.startswith(_STAGING):
            shutil.rmtree(os.path.join(model_dir, name), ignore_errors=True)


def _flush(folder: str) -> None:
    """Flushes a copy to disk, so that a power failure cannot leave an incomplete version."""
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
