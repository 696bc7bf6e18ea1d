"""Checks of machine and installation, each with a suggested fix."""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement

from components.memory import available_bytes
from pipeline.console.log_capture import suppress_output

# The oldest glibc that the packages of each TFX version need.
_GLIBC = {"1.16": (2, 28), "1.21": (2, 39)}
_PYTHONS = {(3, 10), (3, 11), (3, 12), (3, 13)}
_IMPORTS = (
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
_OURS, _PACKAGES = "tfx-caser", ("components", "pipeline", "schemas")
_MIN_MEMORY, _MIN_DISK = 4e9, 2e9
_INSTALL = "run `make install` in the project directory and use .venv/bin/caser"


class Check(NamedTuple):
    """Result of one check; `hint` says how to fix a problem and is None if the check passed."""

    name: str
    result: str
    hint: str | None = None


def run_checks() -> Iterator[Check]:
    """Runs all checks, fast ones first."""
    yield _python()
    yield _c_library()
    yield _tfx()
    yield _memory()
    yield _disk(Path.cwd())
    yield _names()
    yield from _imports()
    yield _devices()


def _python() -> Check:
    result = f"{platform.python_version()} ({sys.executable})"
    supported = _required_tfx() is not None
    return Check("Python", result, None if supported else f"install Python 3.10 and {_INSTALL}")


def _c_library() -> Check:
    name, version = platform.libc_ver()
    if name != "glibc":
        return Check("C library", f"{name or platform.system()} {version}", "use a Linux with glibc 2.28 or later")
    minimum = _GLIBC[_required_tfx() or "1.16"]
    if tuple(int(part) for part in version.split(".")[:2]) >= minimum:
        return Check("C library", f"glibc {version}")
    return Check(
        "C library",
        f"glibc {version}, but TFX for this Python needs {minimum[0]}.{minimum[1]}",
        "use Python 3.10, whose TFX needs glibc 2.28, or a newer system (Debian 13, Ubuntu 24.04)",
    )


def _tfx() -> Check:
    try:
        version = metadata.version("tfx")
    except metadata.PackageNotFoundError:
        return Check("TFX", "not installed", _INSTALL)
    required = _required_tfx()
    if required is not None and version.startswith(f"{required}."):
        return Check("TFX", f"{version} (TensorFlow {metadata.version('tensorflow')})")
    return Check("TFX", f"{version}, but this Python needs TFX {required or 'of another Python'}", _INSTALL)


def _required_tfx() -> str | None:
    """Major and minor version of TFX that this project requires on this Python; None if it supports no such Python."""
    if sys.version_info[:2] not in _PYTHONS:
        return None
    for requirement in map(Requirement, metadata.requires("tfx-caser") or []):
        if requirement.name == "tfx" and (requirement.marker is None or requirement.marker.evaluate()):
            return ".".join(next(iter(requirement.specifier)).version.split(".")[:2])
    return None


def _memory() -> Check:
    total = available_bytes()
    result = f"{total / 1e9:.1f} GB, {os.cpu_count()} processors"
    return Check("Memory", result, None if total >= _MIN_MEMORY else "use a machine with at least 4 GB")


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    result = f"{free / 1e9:.1f} GB free in {folder}"
    return Check("Disk", result, None if free >= _MIN_DISK else "free disk space, or write --output to another disk")


def _names() -> Check:
    """Packages of this project that others in the environment provide, too."""
    owners = metadata.packages_distributions()
    others = {name: [owner for owner in owners.get(name, []) if owner != _OURS] for name in _PACKAGES}
    clashes = [f"`{name}` is also in {', '.join(found)}" for name, found in others.items() if found]
    foreign = [name for name in _PACKAGES if not _is_ours(name)]
    clashes += [f"`{name}` would be imported from elsewhere" for name in foreign]
    return Check(
        "Packages",
        "; ".join(clashes) or "no other package has the name of one of ours",
        "uninstall the other package, or use an environment of its own: " + _INSTALL if clashes else None,
    )


def _is_ours(name: str) -> bool:
    found = importlib.util.find_spec(name)
    return found is not None and found.origin is not None and Path(found.origin).parents[1] == Path(__file__).parents[1]


def _imports() -> Iterator[Check]:
    working = []
    for name in _IMPORTS:
        try:
            with suppress_output():
                importlib.import_module(name)
        except Exception as error:  # any error of an import is the result
            yield Check("Import", f"{name}: {type(error).__name__}: {error}".splitlines()[0], _INSTALL)
        else:
            working.append(name.removesuffix(".v1"))
    if working:
        yield Check("Imports", ", ".join(working))


def _devices() -> Check:
    try:
        with suppress_output():
            import tensorflow as tf

            gpus = tf.config.list_physical_devices("GPU")
    except Exception as error:  # already reported as a failed import
        return Check("Devices", f"unknown: {type(error).__name__}", _INSTALL)
    return Check("Devices", f"{len(gpus)} GPU(s)" if gpus else "CPU only (sufficient)")
