"""Redirects the output of TFX, Beam and TensorFlow to a log file."""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO


def new_log_file(folder: Path) -> Path:
    """A path for a new log file, named by the current time.

    Args:
        folder: directory of the log; created if missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = datetime.datetime.now().strftime("run-%Y%m%d-%H%M%S")
    names = [f"{stem}.log", *(f"{stem}-{n}.log" for n in range(2, 1000))]
    return next(folder / name for name in names if not (folder / name).exists())


@contextlib.contextmanager
def redirect_output_to(file: Path) -> Iterator[TextIO]:
    """Redirects everything printed or logged to `file` while the block runs.

    File descriptors are redirected, so this includes C++ code and child processes.

    Args:
        file: log file; output is appended.

    Yields:
        A stream that still writes to the screen.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    with (
        open(file, "a", buffering=1, encoding="utf-8", errors="backslashreplace") as log,
        contextlib.ExitStack() as undo,
    ):
        # In tests and notebooks sys.stdout has no file descriptor and is itself the screen.
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
def suppress_output() -> Iterator[None]:
    """Suppresses what TensorFlow prints to stderr while it starts; exceptions are not affected."""
    sys.stderr.flush()
    copy = os.dup(2)
    with open(os.devnull, "w") as devnull:
        os.dup2(devnull.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(copy, 2)
        os.close(copy)


def silence_end_of_python() -> None:
    """Silences TensorFlow functions that Beam's workers keep, and threads of a cancelled job, when Python ends."""
    sys.unraisablehook = lambda _: None
    threading.excepthook = lambda _: None
