"""The environment of a measurement."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path


def description() -> dict[str, str]:
    """CPU, cores, memory and versions."""
    return {
        "CPU": _field(Path("/proc/cpuinfo"), "model name") or platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{int(_field(Path('/proc/meminfo'), 'MemTotal').split()[0]) / 2**20:.1f} GiB",
        "system": platform.platform(),
        "Python": platform.python_version(),
        **{name: metadata.version(name) for name in ("tfx", "tensorflow", "keras", "numpy")},
        "tfx-caser": metadata.version("tfx-caser"),
    }


def peak_gigabytes() -> float:
    """Peak memory of this process, since its start or `reset_peak`."""
    return int(_field(Path("/proc/self/status"), "VmHWM").split()[0]) / 1e6


def reset_peak() -> None:
    """Lets `peak_gigabytes` begin again from the memory in use now."""
    Path("/proc/self/clear_refs").write_text("5")


def _field(file: Path, name: str) -> str:
    """The value of the first line `name: value`."""
    lines = (line.partition(":") for line in file.read_text().splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")
