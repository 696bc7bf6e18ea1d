"""Writes a file at once: a reader sees the old one or the new one, never a part, whenever the writer is killed."""

from __future__ import annotations

import os
from pathlib import Path


def write_text(file: Path, text: str) -> None:
    """Replaces a file atomically.

    Args:
        file: its folder exists.
        text: is written as UTF-8.
    """
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, file)
