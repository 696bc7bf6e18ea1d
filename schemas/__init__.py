"""Curated schemas and the loader that finds them as package data."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def schema_path(name: str) -> str:
    """Path of a curated schema.

    Args:
        name: without its ending, for instance "interactions".

    Returns:
        The path of `<name>.pbtxt` as installed.

    Raises:
        FileNotFoundError: there is no such schema.
    """
    path = Path(str(resources.files(__package__) / f"{name}.pbtxt"))
    if not path.is_file():
        known = sorted(entry.stem for entry in path.parent.glob("*.pbtxt"))
        raise FileNotFoundError(f"`name` should be one of {known}. Received: {name!r}")
    return str(path)
