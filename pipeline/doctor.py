"""Examines this machine and the installation, and says what to do about what is wrong."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from pipeline.console.log_capture import silence

# Which TFX a Python gets (setup.py), and the C library its packages need.
_LINES = {
    (3, 10): ("1.16", (2, 28)),
    (3, 11): ("1.21", (2, 39)),
    (3, 12): ("1.21", (2, 39)),
    (3, 13): ("1.21", (2, 39)),
}
_PARTS = (
    "pyarrow",
    "apache_beam",
    "tensorflow",
    "keras",
    "tensorflow_transform",
    "tensorflow_model_analysis",
    "ml_metadata",
    "tfx.v1",
    "components.trainer.component",
)
_ENOUGH_MEMORY, _ENOUGH_DISK = 4e9, 2e9
_INSTALL = "run `make install` in the project's folder, and use .venv/bin/caser"


class Finding(NamedTuple):
    """One thing that was looked at; `remedy` is None where it is in order."""

    what: str
    found: str
    remedy: str | None = None


def examine() -> Iterator[Finding]:
    """Looks at everything that a run needs, the quick things first."""
    yield _python()
    yield _c_library()
    yield _tfx()
    yield _memory()
    yield _disk(Path.cwd())
    yield from _imports()
    yield _devices()


def _python() -> Finding:
    found = f"{platform.python_version()} ({sys.executable})"
    known = sys.version_info[:2] in _LINES
    return Finding("Python", found, None if known else f"install Python 3.10 and {_INSTALL}")


def _c_library() -> Finding:
    name, version = platform.libc_ver()
    if name != "glibc":
        return Finding("C library", f"{name or platform.system()} {version}", "use a Linux with glibc 2.28 or later")
    needed = _LINES.get(sys.version_info[:2], ("", (2, 28)))[1]
    if tuple(int(part) for part in version.split(".")[:2]) >= needed:
        return Finding("C library", f"glibc {version}")
    return Finding(
        "C library",
        f"glibc {version}, older than the {needed[0]}.{needed[1]} that TFX needs on this Python",
        "use Python 3.10, whose TFX needs 2.28, or a newer system (Debian 13, Ubuntu 24.04)",
    )


def _tfx() -> Finding:
    try:
        version = metadata.version("tfx")
    except metadata.PackageNotFoundError:
        return Finding("TFX", "not installed", _INSTALL)
    line = _LINES.get(sys.version_info[:2], ("?",))[0]
    if version.startswith(f"{line}."):
        return Finding("TFX", f"{version} (line {line}, TensorFlow {metadata.version('tensorflow')})")
    return Finding("TFX", f"{version}, but this Python goes with {line}", _INSTALL)


def _memory() -> Finding:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    found = f"{total / 1e9:.1f} GB, {os.cpu_count()} processors"
    return Finding("Memory", found, None if total >= _ENOUGH_MEMORY else "use a machine with at least 4 GB")


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    found = f"{free / 1e9:.1f} GB free in {folder}"
    return Finding("Disk", found, None if free >= _ENOUGH_DISK else "make room, or write --output to another disk")


def _imports() -> Iterator[Finding]:
    working = []
    for name in _PARTS:
        try:
            with silence():
                importlib.import_module(name)
        except Exception as error:  # whatever an import runs into is the finding
            yield Finding("Import", f"{name}: {type(error).__name__}: {error}".splitlines()[0], _INSTALL)
        else:
            working.append(name.removesuffix(".v1"))
    if working:
        yield Finding("Imports", ", ".join(working))


def _devices() -> Finding:
    try:
        with silence():
            import tensorflow as tf

            gpus = tf.config.list_physical_devices("GPU")
    except Exception as error:  # already told as an import that fails
        return Finding("Devices", f"unknown: {type(error).__name__}", _INSTALL)
    return Finding("Devices", f"{len(gpus)} GPU(s)" if gpus else "CPU only, which is enough")
