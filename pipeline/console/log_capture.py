"""Keeps the noise of TFX, Beam and TensorFlow off the screen and in a file."""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO


def new_log_file(folder: Path) -> Path:
    """The path of a log that does not exist yet, named by the present time.

    Args:
        folder: is made where it is absent.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = datetime.datetime.now().strftime("run-%Y%m%d-%H%M%S")
    names = [f"{stem}.log", *(f"{stem}-{n}.log" for n in range(2, 1000))]
    return next(folder / name for name in names if not (folder / name).exists())


@contextlib.contextmanager
def redirect_output_to(file: Path) -> Iterator[TextIO]:
    """Sends everything that is printed or logged to `file` while the block runs.

    The file descriptors themselves are moved, so that C++ code and child processes are quiet too.

    Args:
        file: is appended to.

    Yields:
        A stream that still writes to the screen.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    with (
        open(file, "a", buffering=1, encoding="utf-8", errors="backslashreplace") as log,
        contextlib.ExitStack() as undo,
    ):
        # A test's or a notebook's stdout is no descriptor: then the object that stands for it is the screen.
        screen = _copy(1) if _is_descriptor(sys.stdout, 1) else sys.stdout
        if screen is not sys.stdout:
            undo.callback(screen.close)
        for descriptor in (1, 2):
            undo.callback(_restore, os.dup(descriptor), descriptor)
            os.dup2(log.fileno(), descriptor)
        undo.enter_context(contextlib.redirect_stdout(log))
        undo.enter_context(contextlib.redirect_stderr(log))
        undo.enter_context(_logging_to(log))
        yield screen


@contextlib.contextmanager
def _logging_to(log: TextIO) -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    handler = logging.StreamHandler(log)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def _is_descriptor(stream: TextIO, descriptor: int) -> bool:
    try:
        return stream.fileno() == descriptor
    except (OSError, ValueError):
        return False


def _copy(descriptor: int) -> TextIO:
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return open(os.dup(descriptor), "w", buffering=1, encoding=encoding, errors="replace")


def _restore(copy: int, descriptor: int) -> None:
    sys.stdout.flush()
    os.dup2(copy, descriptor)
    os.close(copy)


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Keeps what TensorFlow prints while it starts off the screen; errors are raised as ever."""
    sys.stderr.flush()
    copy = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(copy, 2)
        os.close(copy)
