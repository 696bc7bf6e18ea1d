"""Atomic writes and file locks."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
from collections.abc import Iterator
from pathlib import Path

from components.errors import UserError


def write_text(file: str | Path, text: str) -> None:
    """Writes a file atomically: readers see the old content or the new one, even if the writer is killed.

    Args:
        file: local path whose directory exists, or a URI that TensorFlow's file systems understand.
        text: content, written as UTF-8.
    """
    part = f"{file}.{os.getpid()}.part"
    if "://" not in str(file):
        Path(part).write_text(text, encoding="utf-8")
        os.replace(part, file)
        return
    # Imported by need: most callers write local files, and TensorFlow takes seconds.
    import tensorflow as tf

    with tf.io.gfile.GFile(part, "w") as stream:
        stream.write(text)
    tf.io.gfile.rename(part, str(file), overwrite=True)


def read_text(file: str | Path) -> str:
    """Reads a file in UTF-8.

    Args:
        file: local path, or a URI that TensorFlow's file systems understand.

    Raises:
        OSError: it cannot be read.
    """
    return read_bytes(file).decode("utf-8").replace("\r\n", "\n")


def read_lines(file: str | Path) -> list[str]:
    """Reads the lines of a file in UTF-8. They end with LF, CR or both; other line separators may be part of an ID.

    Args:
        file: local path, or a URI that TensorFlow's file systems understand.

    Raises:
        OSError: it cannot be read.
    """
    return [line.removesuffix("\n") for line in io.StringIO(read_text(file), newline=None)]


def read_bytes(file: str | Path) -> bytes:
    """Reads a file.

    Args:
        file: local path, or a URI that TensorFlow's file systems understand.

    Raises:
        OSError: it cannot be read.
    """
    if "://" not in str(file):
        return Path(file).read_bytes()
    import tensorflow as tf

    try:
        with tf.io.gfile.GFile(str(file), "rb") as stream:
            return bytes(stream.read())
    except tf.errors.OpError as error:
        raise OSError(error.message) from error


def register_file_system(uri: str) -> None:
    """Makes `s3://` known to TensorFlow, if the package that does is installed; other schemes need nothing.

    Args:
        uri: any URI.
    """
    if uri.startswith("s3://"):
        with contextlib.suppress(ImportError):
            import tensorflow_io  # noqa: F401


@contextlib.contextmanager
def exclusive_lock(file: str | Path, wait: bool = True) -> Iterator[None]:
    """Holds an exclusive lock on a file while the block runs; the system releases it if the process dies.

    Args:
        file: lock file; created if missing.
        wait: whether to wait for another holder of the lock.

    Raises:
        BlockingIOError: another process holds the lock and `wait` is false.
        OSError: the lock file cannot be created.
    """
    with open(file, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield


def refuse_glob_characters(path: str | Path, option: str) -> None:
    """Refuses a path that TFX, which reads what nodes wrote by glob patterns, would not find again.

    Args:
        path: absolute path, or URI.
        option: where it was given, for the message.

    Raises:
        UserError: the path has such characters.
    """
    if found := sorted(set(str(path)) & set("*?[]{}\\")):
        raise UserError(
            f"{option} {path}: the path has {' '.join(found)}, which TFX takes for a pattern. "
            "Hint: choose a path without these characters."
        )
