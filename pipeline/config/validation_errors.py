"""Turns pydantic's validation errors into messages for users."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pydantic import ValidationError

from pipeline.config.suggestions import closest_match

_MAX_VALUE = 80


def explain(error: ValidationError, place_of: Callable[[list[str]], str], known_keys: Sequence[str]) -> Iterator[str]:
    """Explains what is invalid, one line per mistake.

    Args:
        error: error of a settings class.
        place_of: the place where a key (its parts) was set, such as `my.yaml:3`; "" if unknown.
        known_keys: valid dotted keys, for suggestions.

    Yields:
        Lines with the place, the key, what is allowed and what was received.
    """
    for mistake in error.errors():
        parts = [str(part) for part in mistake["loc"]]
        key, place = ".".join(parts), place_of(parts)
        prefix = f"{place}: " if place else ""
        message = mistake["msg"]
        if mistake["type"] == "value_error":  # from a validator of ours, and complete
            yield prefix + message.removeprefix("Value error, ")
        elif mistake["type"] == "extra_forbidden":
            yield prefix + unknown_setting(key, known_keys)
        else:
            allowed = message.removeprefix("Input should be ").removeprefix("Input ")
            yield f"{prefix}`{key}` should be {allowed}. Received: {repr(mistake['input'])[:_MAX_VALUE]}"


def unknown_setting(key: str, known_keys: Sequence[str]) -> str:
    """The message for an unknown key."""
    return f"unknown setting `{key}`. Did you mean `{closest_match(key, known_keys)}`?"
