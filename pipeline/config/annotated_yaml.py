"""The configuration as YAML with a description of every setting."""

from __future__ import annotations

import inspect
import json
from typing import Any

import yaml
from pydantic.fields import FieldInfo

from pipeline.config.config import Config, fields

_COMMENT_COLUMN = 34


def annotated_yaml(config: Config) -> str:
    """All settings with their descriptions as comments, in a form that `load_config` reads.

    Args:
        config: the configuration.
    """
    lines = ["# All settings of `caser run`; settings that are left out have their defaults."]
    values = config.model_dump(mode="json")
    section = ""
    for key, field in fields().items():
        parts = key.split(".")
        if len(parts) == 1:
            lines.append(_line("", key, values[key], field))
            continue
        if parts[0] != section:
            section = parts[0]
            about = inspect.getdoc(type(getattr(config, section))) or ""
            # Text in parentheses is for readers of the code.
            lines += ["", f"# {about.splitlines()[0].split(' (')[0].rstrip('.')}.", f"{section}:"]
        lines.append(_line("  ", parts[1], values[section][parts[1]], field))
    return "\n".join(lines) + "\n"


def _line(indent: str, name: str, value: Any, field: FieldInfo) -> str:
    setting = f"{indent}{name}: {_scalar(value)}"
    comment = "; ".join(part for part in (field.description, choices(field)) if part)
    return f"{setting:<{_COMMENT_COLUMN}}# {comment}" if comment else setting


def _scalar(value: Any) -> str:
    if isinstance(value, str) and not value.isprintable():
        return json.dumps(value)
    return yaml.safe_dump(value, default_flow_style=True, allow_unicode=True).removesuffix("\n...\n").strip()


def choices(field: FieldInfo) -> str:
    """The allowed values of a `Literal`, in words; "" for other types.

    Args:
        field: a field of a settings class.
    """
    arguments = getattr(field.annotation, "__args__", ())
    return "one of " + ", ".join(arguments) if arguments and all(isinstance(a, str) for a in arguments) else ""
