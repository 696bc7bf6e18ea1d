"""Reads settings from YAML and `key=value`, and remembers where each was set."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Set
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from components.errors import UserError

_NULL_TAG = "tag:yaml.org,2002:null"
# Values that mean null or an empty string.
_EMPTY = ("", "~", "null", "Null", "NULL", "''", '""')


class Source(NamedTuple):
    """Settings by dotted key, and the place where each was set, such as `my.yaml:3`."""

    values: dict[str, Any]
    places: dict[str, str]

    @staticmethod
    def merged(sources: Iterable[Source]) -> Source:
        """Merges sources; later ones take precedence."""
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
    """Reads a text file in UTF-8.

    Args:
        file: path of the file.

    Raises:
        UserError: the file cannot be read or is not UTF-8.
    """
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"Cannot read {file}: {error.strerror}. Hint: check the path.") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is not UTF-8 (byte {error.start}). Hint: save it as UTF-8.") from None


@contextlib.contextmanager
def yaml_errors(name: str) -> Iterator[None]:
    """Turns YAML syntax errors into UserErrors with file name and line.

    Args:
        name: name of the text, for messages.
    """
    try:
        yield
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UserError(f"{name}:{line}: invalid YAML: {error.problem}.") from None
    except yaml.YAMLError as error:
        raise UserError(f"{name}: invalid YAML: {' '.join(str(error).split())}.") from None


def read_yaml(file: Path) -> list[Any]:
    """Reads all documents of a YAML file, without empty ones.

    Args:
        file: path of the file.

    Raises:
        UserError: the file cannot be read or is not YAML.
    """
    with yaml_errors(str(file)):
        return [document for document in yaml.safe_load_all(read_text(file)) if document]


def from_yaml(text: str, name: str, texts: Set[str] = frozenset()) -> Source:
    """Reads a mapping with nested or dotted keys.

    Args:
        text: YAML.
        name: name of the text, for messages.
        texts: keys whose values are text, so that 007 is not the number 7.

    Raises:
        UserError: the text is not YAML, is not a mapping, or sets a key twice.
    """
    with yaml_errors(name):
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is None:
            return Source({}, {})
        if not isinstance(root, yaml.MappingNode):
            raise UserError(f"{name}:1: expected a mapping of sections (`section:` / `  key: value`).")
        source = Source({}, {})
        for key, node in _leaves(root, ""):
            place = f"{name}:{node.start_mark.line + 1}"
            if key in source.values:
                raise UserError(f"{place}: `{key}` is set twice, first at {source.places[key]}.")
            source.values[key] = _text_of(node) if key in texts else _value_of(node)
            source.places[key] = place
        return source


def from_override(text: str, leaves: Set[str], texts: Set[str] = frozenset()) -> Source:
    """Reads `key=value`.

    Args:
        text: dotted key and YAML value; a value that is not YAML, such as `::`, is taken literally.
        leaves: keys of settings that are not sections.
        texts: as in `from_yaml`.

    Raises:
        UserError: there is no `=`.
    """
    key, equals, value = text.partition("=")
    place = f"--set {text}"
    if not equals or not key.strip():
        raise UserError(f"{place}: expected key=value, such as trainer.epochs=5.")
    key = key.strip()
    try:
        node = yaml.compose(value, Loader=yaml.SafeLoader)
        parsed = None if node is None else _text_of(node) if key in texts else _value_of(node)
    except yaml.YAMLError:
        parsed = value
    if not parsed and isinstance(parsed, str | None) and value not in _EMPTY:
        parsed = value  # separators such as `|`, `#` and tab are YAML syntax
    if isinstance(parsed, dict):
        if key not in leaves:
            nested = from_yaml(value, place, {name.removeprefix(f"{key}.") for name in texts})
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


def _text_of(node: yaml.Node) -> Any:
    """A scalar, null as None, or a list of scalars, as they are written."""
    if isinstance(node, yaml.ScalarNode):
        return None if node.tag == _NULL_TAG else node.value
    if isinstance(node, yaml.SequenceNode) and all(isinstance(part, yaml.ScalarNode) for part in node.value):
        return [part.value for part in node.value]
    return _value_of(node)


def _value_of(node: yaml.Node) -> Any:
    loader = yaml.SafeLoader("")
    return loader.construct_document(node)
