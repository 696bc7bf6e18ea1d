"""Parses `--param name=value` by the types declared in a compiled pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.errors import UserError
from pipeline.config.suggestions import closest_match

_EXPECTED = {"NUMBER_INTEGER": "a whole number", "BOOLEAN": "true or false"}


def param_values(pipeline: dict[str, Any], arguments: Sequence[str]) -> dict[str, Any]:
    """Parses run parameters.

    Args:
        pipeline: PipelineSpec.
        arguments: `name=value` each.

    Returns:
        Values by name, without parameters that keep their defaults.

    Raises:
        UserError: an unknown name, or a value of the wrong type.
    """
    declared = defined_parameters(pipeline)
    values: dict[str, Any] = {}
    for text in arguments:
        name, equals, value = text.partition("=")
        if not equals:
            raise UserError(f"--param {text}: expected name=value.")
        if name not in declared:
            raise UserError(
                f"--param {text}: unknown parameter `{name}`. Did you mean "
                f"`{closest_match(name, list(declared))}`? Parameters: {', '.join(declared)}."
            )
        values[name] = _value(text, value, declared[name]["parameterType"])
    return values


def defined_parameters(pipeline: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The parameters that a pipeline declares, by name."""
    parameters: dict[str, dict[str, Any]] = pipeline["root"].get("inputDefinitions", {}).get("parameters", {})
    return parameters


def _value(text: str, value: str, kind: str) -> Any:
    if kind == "NUMBER_INTEGER" and value.lstrip("-").isdecimal():
        return int(value)
    if kind == "BOOLEAN" and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if kind in _EXPECTED:
        raise UserError(f"--param {text}: expected {_EXPECTED[kind]}. Received: {value}")
    return value
