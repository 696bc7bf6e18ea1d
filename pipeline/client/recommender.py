"""The client for applications: one class, whichever way the model is asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from components.errors import UserError
from components.export.signatures import PredictRequests
from pipeline.client.connect import connect
from pipeline.client.in_process import InProcessTransport
from pipeline.client.transport import Connection, Transport


class Query(NamedTuple):
    """For whom.

    Attributes:
        user: an id; one that the model does not know gets general taste.
        recent: the user's newest items, oldest first; those that the model does not know are ignored.
        exclude: items that should not be recommended, beside the recent ones.
    """

    user: str
    recent: Sequence[str] = ()
    exclude: Sequence[str] = ()


class Recommendations(NamedTuple):
    """The answer: the best item first.

    Attributes:
        user: who was asked for.
        version: of the model; "" where the server does not say.
        item_ids: at most k.
        scores: of the items, falling; comparable within one answer only.
        notes: what the user should know about this answer; a server gives none.
    """

    user: str
    version: str
    item_ids: list[str]
    scores: list[float]
    notes: list[str]


class Recommender:
    """Asks one model. Use it as a context manager, or call `close`; one per thread."""

    def __init__(self, transport: Transport) -> None:
        """See `connect` and `load`.

        Args:
            transport: the way to the model.
        """
        self._transport = transport

    @classmethod
    def connect(
        cls,
        url: str,
        timeout: float = 10.0,
        token: str | None = None,
        ca: str | None = None,
        label: str | None = None,
    ) -> Recommender:
        """A recommender by TF Serving; nothing is sent before the first question.

        Args:
            url: `http://host:8501`, `https://...`, `grpc://host:8500` or `grpcs://...`.
            timeout: seconds for one request, all of its repetitions included.
            token: bearer token.
            ca: PEM file of the authorities to trust, where the system does not know them.
            label: of the version, such as `stable`; None: the newest that the server has loaded.

        Raises:
            UserError: the URL is none of a server.
        """
        return cls(connect(Connection(url, timeout, token, ca, label)))

    @classmethod
    def load(cls, path: str | Path) -> Recommender:
        """A recommender in this process, by TensorFlow.

        Args:
            path: `DIR/serving/caser` (the newest version is taken), or the folder of a version.

        Raises:
            UserError: there is no model.
        """
        return cls(InProcessTransport(Path(path)))

    def recommend(
        self, user: str, recent: Sequence[str] = (), exclude: Sequence[str] = (), k: int = 10
    ) -> Recommendations:
        """Asks for one user; see `Query` for the arguments.

        Args:
            user: see there.
            recent: see there.
            exclude: see there.
            k: how many items.

        Returns:
            At most k items.

        Raises:
            UserError: the model is not there, refuses, does not answer in time, or gives fewer than k items at all.
        """
        (answer,) = self.recommend_many([Query(user, recent, exclude)], k)
        return answer

    def recommend_many(self, queries: Sequence[Query], k: int = 10) -> list[Recommendations]:
        """Asks for a batch of users at once.

        Args:
            queries: one per user; a batch of 64 is answered in about the time of ten single ones.
            k: how many items for each.

        Returns:
            One answer per query, in the same order.

        Raises:
            UserError: as `recommend`.
        """
        if not queries:
            return []
        answers, version = self._transport.ask(
            PredictRequests(
                [query.user for query in queries],
                _padded([query.recent for query in queries]),
                _padded([query.exclude for query in queries]),
            )
        )
        made = []
        for query, items, scores in zip(queries, answers.item_ids, answers.scores, strict=True):
            if k > len(items):
                raise UserError(
                    f"This model gives at most {len(items)} items. Received: -k {k}. "
                    "Hint: ask for fewer, or run again with a larger `export.k` (the catalogue is the limit)."
                )
            # Fewer items than asked for are left where the user has seen nearly all: the rest is "".
            given = [(item, score) for item, score in zip(items[:k], scores, strict=False) if item]
            notes = self._notes(query)
            made.append(
                Recommendations(query.user, version, [item for item, _ in given], [score for _, score in given], notes)
            )
        return made

    def close(self) -> None:
        """Lets go of connections."""
        self._transport.close()

    def __enter__(self) -> Recommender:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _notes(self, query: Query) -> list[str]:
        if isinstance(self._transport, InProcessTransport):
            return self._transport.notes(query.user, query.recent)
        return []


def _padded(lists: Sequence[Sequence[str]]) -> list[list[str]]:
    """Of one width, at least 1: JSON has no way to tell a list of no strings from one of no numbers."""
    width = max([1, *map(len, lists)])
    return [[*texts, *[""] * (width - len(texts))] for texts in lists]
