"""The latest spans of a pattern such as `log/day-{SPAN}/*.csv`, the way TFX counts them."""

from __future__ import annotations

import datetime
import os
import re
from typing import NamedTuple

from components.errors import UserError
from components.example_gen.inputs.input_files import has_span, input_files, is_remote, local_path

_TOKEN = re.compile(
    r"\{(?P<name>SPAN|VERSION|YYYY|MM|DD)(?::(?P<width>\d+))?\}"
    r"|(?P<any>\*\*/?)|(?P<star>\*)|(?P<one>\?)|(?P<set>\[[^\]]+\])|(?P<text>.)",
    re.DOTALL,
)
_WIDTHS = {"YYYY": "4", "MM": "2", "DD": "2"}
_EPOCH = datetime.date(1970, 1, 1)


class SpanFiles(NamedTuple):
    """Files of the latest spans, oldest span first, and the number of the newest one: days since 1970 for dates."""

    newest: int
    files: list[str]


def latest_spans(path: str, spans: int, newest: int | None = None) -> SpanFiles:
    """Finds the files of the latest spans; of a span with several versions, those of the highest one.

    Args:
        path: pattern with `{SPAN}`, or with `{YYYY}`, `{MM}` and `{DD}`, and perhaps `{VERSION}`.
        spans: number of spans; if there are fewer, all of them.
        newest: later spans are ignored; None: none is later.

    Raises:
        UserError: there are no files, or one whose span cannot be read from its name.
    """
    pattern = _pattern(path if is_remote(path) else os.path.normpath(local_path(path)))
    by_span: dict[int, dict[int, list[str]]] = {}
    for file in input_files(path):
        found = pattern.fullmatch(file)
        span = _number(found) if found else None
        if found is None or span is None:
            raise UserError(
                f"{path}: no span can be found in {file}. "
                "Hint: name files or directories by whole numbers or dates, such as span-1, span-2."
            )
        version = int(found["VERSION"]) if "VERSION" in pattern.groupindex else 0
        by_span.setdefault(span, {}).setdefault(version, []).append(file)
    chosen = sorted(span for span in by_span if newest is None or span <= newest)[-spans:]
    files = [file for span in chosen for file in by_span[span][max(by_span[span])]]
    return SpanFiles(chosen[-1], files)


def files_to_read(path: str, last_spans: int | None) -> list[str]:
    """The files that a run would read now.

    Args:
        path: what `input_files` takes; of a pattern with `{SPAN}`, only the latest spans.
        last_spans: `data.last_spans`.

    Raises:
        UserError: see `latest_spans` and `input_files`.
    """
    return latest_spans(path, last_spans or 1).files if has_span(path) else input_files(path)


def _pattern(path: str) -> re.Pattern[str]:
    """A regular expression for the files that the pattern stands for, or that are in directories it stands for."""
    parts = []
    for token in _TOKEN.finditer(path):
        if name := token["name"]:
            width = token["width"] or _WIDTHS.get(name)
            parts.append(f"(?P<{name}>[0-9]{{{width}}})" if width else f"(?P<{name}>[0-9]+)")
        elif token["any"]:
            parts.append("(?:.*/)?" if token["any"].endswith("/") else ".*")
        elif token["star"] or token["one"]:
            parts.append("[^/]*" if token["star"] else "[^/]")
        elif token["set"]:
            parts.append(re.sub(r"^\[!", "[^", token["set"]).replace("\\", "\\\\"))
        else:
            parts.append(re.escape(token["text"]))
    return re.compile("".join(parts) + "(?:/.*)?", re.DOTALL)


def _number(found: re.Match[str]) -> int | None:
    """The number of a span; None for a date that does not exist."""
    groups = found.groupdict()
    if "SPAN" in groups:
        return int(groups["SPAN"])
    try:
        date = datetime.date(int(groups["YYYY"]), int(groups["MM"]), int(groups["DD"]))
    except (KeyError, ValueError):
        return None
    return (date - _EPOCH).days
