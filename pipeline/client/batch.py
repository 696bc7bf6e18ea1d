"""Many users out of a file, answered in batches, with progress on the screen."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterable, Iterator

from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from components.errors import UserError
from pipeline.client.recommender import Query, Recommendations, Recommender
from pipeline.console.live_display import new_console

BATCH_SIZE = 64


def answer_lines(recommender: Recommender, lines: Iterable[str], k: int, name: str) -> Iterator[Recommendations]:
    """Predictions lines of JSON.

    Args:
        recommender: whom to ask.
        lines: one object each, with the keys of `Query`; blank lines are skipped.
        k: how many items.
        name: of the file, for messages.

    Yields:
        One answer per line, in the same order.

    Raises:
        UserError: a line is no query; the answers before its batch have been given.
    """
    queries = (_query(line, f"{name}, line {number}") for number, line in enumerate(lines, start=1) if line.strip())
    columns = (SpinnerColumn(), TextColumn("users answered"), MofNCompleteColumn(), TimeElapsedColumn())
    console = new_console(sys.stderr)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)
        while batch := list(itertools.islice(queries, BATCH_SIZE)):
            yield from recommender.recommend_many(batch, k)
            progress.advance(task, len(batch))


def _query(line: str, where: str) -> Query:
    try:
        parts = json.loads(line)
        query = Query(**parts)
    except (ValueError, TypeError) as error:
        raise UserError(
            f'{where}: not such an object: {{"user": ID, "recent": [...], "exclude": [...]}}: {error}'
        ) from None
    lists = (query.recent, query.exclude)
    if not isinstance(query.user, str) or not all(isinstance(items, list | tuple) for items in lists):
        raise UserError(f"{where}: `user` should be a string, `recent` and `exclude` lists. Received: {line.strip()}")
    for item in (*query.recent, *query.exclude):
        if not isinstance(item, str):
            raise UserError(f"{where}: ids should be strings. Received: {item!r}")
    return query
