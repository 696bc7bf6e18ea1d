"""Reads settings out of YAML text and `key=value`, and remembers where each was set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from components.errors import UserError

# What stands for nothing on purpose.
_EMPTY = ("", "~", "null", "Null", "NULL", "''", '""')


class Source(NamedTuple):
    """Settings by dotted key, and for each where it was set, such as `my.yaml:3`."""

    values: dict[str, Any]
    places: dict[str, str]

    @staticmethod
    def merged(sources: Iterable[Source]) -> Source:
        """All settings; a later source wins over an earlier one."""
        merged = Source({}, {})
        for source in sources:
            merged.values.update(source.values)
            merged.places.update(source.places)
        return merged

    def nested(self) -> dict[str, Any]:
        """`{"split.train": 1}` as `{"split": {"train": 1}}`, without empty sections (a section has a dotless key)."""
        sections: dict[str, Any] = {}
        for key, value in self.values.items():
            section, _, name = key.partition(".")
            if name:
                sections.setdefault(section, {})[name] = value
            elif value is not None:
                sections[section] = value
        return sections


def read_text(file: Path) -> str:
    """The text of a configuration file.

    Args:
        file: UTF-8.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"The configuration {file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise UserError(f"The configuration {file} is not UTF-8 (byte {error.start}). Save it as UTF-8.") from None


def from_yaml(text: str, name: str) -> Source:
    """Reads a mapping whose keys are nested, dotted, or both.

    Args:
        text: YAML.
        name: of the text in messages.

    Raises:
        UserError: it is not YAML, not a mapping, or sets a key twice.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is None:
            return Source({}, {})
        if not isinstance(root, yaml.MappingNode):
            raise UserError(f"{name}:1: this should be YAML of the form `section:` and `  key: value`.")
        source = Source({}, {})
        for key, node in _leaves(root, ""):
            place = f"{name}:{node.start_mark.line + 1}"
            if key in source.values:
                raise UserError(f"{place}: `{key}` is set a second time; the first is at {source.places[key]}.")
            source.values[key] = _constructed(node)
            source.places[key] = place
        return source
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UserError(f"{name}:{line}: this is not YAML: {error.problem}.") from None
    except yaml.YAMLError as error:
        raise UserError(f"{name}: this is not YAML: {error}.") from None


def from_override(text: str, leaves: set[str]) -> Source:
    """Reads `key=value`.

    Args:
        text: a dotted key and a YAML value. What is not YAML, such as `::`, is taken as it stands.
        leaves: keys of settings that are no sections.

    Raises:
        UserError: there is no `=`.
    """
    key, equals, value = text.partition("=")
    place = f"--set {text}"
    if not equals or not key.strip():
        raise UserError(f"{place}: this should have the form key=value, such as trainer.epochs=5.")
    key = key.strip()
    try:
        parsed = yaml.safe_load(value)
    except yaml.YAMLError:
        parsed = value
    if not parsed and isinstance(parsed, str | None) and value not in _EMPTY:
        parsed = value  # a separator such as `|`, `#` or a tab is syntax in YAML
    if isinstance(parsed, dict):
        if key not in leaves:
            nested = from_yaml(value, place)
            return Source(
                {f"{key}.{name}": part for name, part in nested.values.items()},
                {f"{key}.{name}": place for name in nested.values},
            )
        parsed = value
    return Source({key: parsed}, {key: place})


def _leaves(mapping: yaml.MappingNode, prefix: str) -> Iterator[tuple[str, yaml.Node]]:
    for key_node, value_node in mapping.value:
        key = f"{prefix}{key_node.value}"
        if isinstance(value_node, yaml.MappingNode) and value_node.value:
            yield from _leaves(value_node, f"{key}.")
        else:
            yield key, value_node


def _constructed(node: yaml.Node) -> Any:
    loader = yaml.SafeLoader("")
    return loader.construct_document(node)
