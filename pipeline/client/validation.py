"""Checks what comes from outside: arguments of the client, lines of batch files, and answers of servers.

The same checks apply to every transport.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Set
from numbers import Integral
from typing import Any, NamedTuple

from components.errors import UserError
from components.export.signatures import (
    FOLLOWING_ITEMS,
    FOLLOWING_SCORES,
    ITEMS,
    SCORES,
    Predictions,
    SimilarPredictions,
)
from components.features import BLANKS


class Query(NamedTuple):
    """A request for one user.

    Attributes:
        user: user id; unknown users get a shared embedding.
        recent: the user's most recent items, oldest first; unknown items are ignored.
        exclude: further items that must not be recommended.
        among: the only items that may be recommended, such as those in stock; None: all items.
    """

    user: str
    recent: Iterable[str] = ()
    exclude: Iterable[str] = ()
    among: Iterable[str] | None = None


class CheckedQuery(NamedTuple):
    """A query whose ids are text without blanks around them."""

    user: str
    recent: list[str]
    exclude: list[str]
    among: list[str] | None = None


def check_query(query: Query, where: str = "") -> CheckedQuery:
    """Checks the arguments for one user.

    Args:
        query: the arguments.
        where: file and line, for messages.

    Returns:
        The query with stripped ids; blank items are dropped.

    Raises:
        UserError: an id is no text, a list of ids is none, or `among` is empty.
    """
    prefix = f"{where}: " if where else ""
    return CheckedQuery(
        _id(query.user, "user", prefix),
        _ids(query.recent, "recent", prefix, ordered=True),
        _ids(query.exclude, "exclude", prefix, ordered=False),
        None if query.among is None else _among(query.among, prefix),
    )


def _among(among: object, prefix: str) -> list[str]:
    items = _ids(among, "among", prefix, ordered=False)
    if not items:
        raise UserError(
            f"{prefix}`among` should have at least one item id. Hint: leave it out to choose from all items."
        )
    return items


def check_k(k: object) -> int:
    """Checks a number of recommendations.

    Raises:
        UserError: it is no whole number from 1 on.
    """
    if isinstance(k, bool) or not isinstance(k, Integral) or k < 1:
        raise UserError(f"`k` should be a whole number from 1 on. Received: {k!r}")
    return int(k)


def check_timeout(timeout: object) -> float:
    """Checks a deadline in seconds.

    Raises:
        UserError: it is no positive number.
    """
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout < math.inf:
        raise UserError(f"`timeout` should be a positive number of seconds. Received: {timeout!r}")
    return float(timeout)


def check_text(value: object, name: str) -> str:
    """Checks an argument that is sent in the header or address of a request.

    Args:
        value: the argument; blanks around it, such as the line break of a file, are removed.
        name: for the message, which does not quote it: it may be a secret.

    Raises:
        UserError: it is no text, is empty, or has control characters.
    """
    text = value.strip() if isinstance(value, str) else ""
    if not text or not text.isprintable():
        raise UserError(f"`{name}` should be text in one line. Hint: check where it comes from.")
    return text


def check_predictions(items: object, scores: object, users: int, server: str) -> Predictions:
    """Checks the recommendations in an answer.

    Args:
        items: should be one list of item ids per user.
        scores: should be one list of numbers per user, as many as items.
        users: number of users in the request.
        server: for the message.

    Raises:
        UserError: they are something else.
    """
    shape = f"{users} lists of item ids and {users} lists of scores"
    if not (isinstance(items, list) and isinstance(scores, list) and len(items) == len(scores) == users):
        raise unexpected_answer(server, f"expected {shape}, received {_brief(items)} and {_brief(scores)}")
    for row, values in zip(items, scores, strict=True):
        are_lists = isinstance(row, list) and isinstance(values, list) and len(row) == len(values)
        # Sets of types and a sum: a loop would cost as much as decoding the answer.
        if not are_lists or not {*map(type, row)} <= {str} or not _are_numbers(values):
            raise unexpected_answer(server, f"expected {shape}, received {_brief(row)} and {_brief(values)}")
    return Predictions(items, scores)


def check_similar(outputs: Mapping[str, Any], items: int, server: str) -> SimilarPredictions:
    """Checks an answer about similar items.

    Args:
        outputs: should have lists as `check_predictions` expects them.
        items: number of items in the request.
        server: for the message.

    Raises:
        UserError: they are something else.
    """
    pairs = (ITEMS, SCORES), (FOLLOWING_ITEMS, FOLLOWING_SCORES)
    return SimilarPredictions(
        *(check_predictions(outputs.get(ids), outputs.get(scores), items, server) for ids, scores in pairs)
    )


def check_item(item: object) -> str:
    """Checks an item id.

    Raises:
        UserError: it is no text, or blank.
    """
    if not (checked := _id(item, "item", "")):
        raise UserError("`item` should be an item id. Received: blank text")
    return checked


def unexpected_answer(server: str, received: str) -> UserError:
    """The error for an answer that TF Serving does not give.

    Args:
        server: URL of the server.
        received: what was received.
    """
    return UserError(
        f"{server} answered something else than TF Serving would: {received}. "
        "Hint: check the URL, and whether a login page or a proxy answers."
    )


def _ids(ids: object, name: str, prefix: str, ordered: bool) -> list[str]:
    is_list = isinstance(ids, Iterable) and not isinstance(ids, str | bytes | Mapping | (Set if ordered else Mapping))
    if not is_list:
        raise UserError(f"{prefix}`{name}` should be a list of item ids. Received: {_brief(ids)}")
    checked = (_id(item, name, prefix) for item in ids)  # type: ignore[attr-defined]
    return [item for item in checked if item]


def _id(value: Any, name: str, prefix: str) -> str:
    if not isinstance(value, str):
        raise UserError(f"{prefix}ids in `{name}` should be text. Received: {_brief(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UserError(f"{prefix}an id in `{name}` is no valid Unicode text. Received: {ascii(value)[:60]}") from None
    return value.strip(BLANKS)


def _are_numbers(values: list[Any]) -> bool:
    try:
        return {*map(type, values)} <= {float, int} and math.isfinite(sum(values))
    except OverflowError:  # an integer beyond the largest float
        return False


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
