"""Recommendations for many users of a JSON lines file, in batches."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
from collections.abc import Iterable, Iterator

from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from components.errors import UserError
from pipeline.client.recommender import Recommendations, Recommender
from pipeline.client.validation import Query, check_query
from pipeline.console.live_display import new_console

BATCH_SIZE = 64


def recommend_lines(recommender: Recommender, lines: Iterable[str], k: int, name: str) -> Iterator[Recommendations]:
    """Recommends items to the users of a JSON lines file.

    Args:
        recommender: the model to use.
        lines: one JSON object each, with the fields of `Query`; blank lines are skipped.
        k: number of recommendations per user.
        name: file name, for messages.

    Yields:
        Recommendations in the order of the lines.

    Raises:
        UserError: a line is malformed; recommendations of earlier batches have been yielded.
    """
    queries = (_query(line, f"{name}, line {number}") for number, line in enumerate(lines, start=1) if line.strip())
    columns = (SpinnerColumn(), TextColumn("users"), MofNCompleteColumn(), TimeElapsedColumn())
    console = new_console(sys.stderr)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)
        while batch := list(itertools.islice(queries, BATCH_SIZE)):
            yield from recommender.recommend_many(batch, k)
            progress.advance(task, len(batch))


def read_lines(name: str) -> Iterator[str]:
    """The lines of a file.

    Args:
        name: file name; "-" for standard input.

    Yields:
        The lines.

    Raises:
        UserError: the file cannot be read, or is not UTF-8 text.
    """
    number = 0
    try:
        with contextlib.nullcontext(sys.stdin.buffer) if name == "-" else open(name, "rb") as file:
            for number, line in enumerate(file, start=1):
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
    except OSError as error:
        raise UserError(f"Cannot read {name}: {error.strerror}. Hint: check --batch.") from None
    except UnicodeDecodeError:
        raise UserError(
            f"{name}, line {number}: not UTF-8 text. Hint: --batch reads JSON lines, one object per user."
        ) from None


def _query(line: str, where: str) -> Query:
    try:
        parts = json.loads(line)
        if not isinstance(parts, dict):
            raise TypeError(f"received {type(parts).__name__}")
        query = Query(**parts)
    except (ValueError, TypeError, RecursionError) as error:
        reason = str(error).replace("Query.__new__() ", "").replace("<lambda>() ", "")
        raise UserError(
            f'{where}: expected an object {{"user": ID, "recent": [...], "exclude": [...], "among": [...]}}: {reason}'
        ) from None
    for name in ("recent", "exclude", "among"):
        if not isinstance(parts.get(name, []), list):
            raise UserError(f"{where}: `{name}` should be a list. Received: {line.strip()[:200]}")
    return Query(*check_query(query, where))
