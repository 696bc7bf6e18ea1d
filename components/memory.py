"""Memory of this machine or container, and of this process."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

# Control groups, version 2 and 1; both say so in their own words where there is no limit.
_LIMIT_FILES = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def available_bytes() -> int:
    """Memory of the machine, or of the container where that is less."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for file in map(Path, _LIMIT_FILES):
        text = file.read_text().strip() if file.exists() else ""
        if text.isdigit():
            limits.append(int(text))
    return min(limits)


def peak_bytes() -> int:
    """The most memory that this process has used so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def gigabytes(bytes_: float) -> str:
    """For messages: `1.5 GB`."""
    return f"{bytes_ / 1e9:.3g} GB"
