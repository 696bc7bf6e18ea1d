"""Presets: settings of well-known data sets."""

from __future__ import annotations

from importlib import resources

from components.errors import UserError
from pipeline.config.suggestions import closest_match

PRESETS = "presets"


def preset_names() -> list[str]:
    """The names of all presets, sorted."""
    folder = resources.files("pipeline.config") / PRESETS
    return sorted(entry.name[: -len(".yaml")] for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def preset_text(name: str) -> str:
    """The YAML of a preset, with its comments.

    Args:
        name: name of the preset.

    Raises:
        UserError: the preset does not exist.
    """
    if name not in preset_names():
        raise UserError(
            f"Unknown preset `{name}`. Did you mean `{closest_match(name, preset_names())}`? "
            f"Presets: {', '.join(preset_names())}."
        )
    return (resources.files("pipeline.config") / PRESETS / f"{name}.yaml").read_text(encoding="utf-8")
