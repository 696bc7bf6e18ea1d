"""Recommender: the client for applications, independent of the transport."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from components.errors import UserError
from components.export.signatures import PredictRequests
from pipeline.client.connect import connect
from pipeline.client.in_process import InProcessTransport
from pipeline.client.items import Items
from pipeline.client.transport import Connection, Transport
from pipeline.client.validation import CheckedQuery, Query, check_item, check_k, check_query

# How a server that batches requests without splitting large ones refuses them.
_BATCH_LIMIT = re.compile(r"larger than maximum input batch size (\d+)")


class Recommendations(NamedTuple):
    """Recommendations for one user, best first.

    Attributes:
        user: user id.
        version: version of the model; "" if the server does not return it.
        item_ids: at most k items.
        scores: scores of the items, descending; comparable within one response only.
        notes: notes on the response; servers give none.
        titles: titles of the items, "" where there is none; empty if no titles are known.
    """

    user: str
    version: str
    item_ids: list[str]
    scores: list[float]
    notes: list[str]
    titles: list[str] = []


class Similar(NamedTuple):
    """Items that are similar to an item, and items that often follow it; best first.

    Attributes:
        item: item id.
        version: version of the model; "" if the server does not return it.
        item_ids: at most k similar items, by the model.
        scores: their similarities, from -1 to 1.
        following_item_ids: at most k items that follow the item, by the sequential rules; empty without rules.
        following_scores: the weights of their rules.
        titles: titles of the similar items, as in `Recommendations`.
        following_titles: those of the following ones.
    """

    item: str
    version: str
    item_ids: list[str]
    scores: list[float]
    following_item_ids: list[str]
    following_scores: list[float]
    titles: list[str] = []
    following_titles: list[str] = []


class Recommender:
    """Recommends items with one model. Use it as a context manager, or call `close`; one per thread.

    Attributes:
        items: titles and other columns of items; None if they are not known.
    """

    def __init__(self, transport: Transport, items: Items | None = None) -> None:
        """Use `connect` or `load` instead.

        Args:
            transport: transport to the model.
            items: titles and other columns of items.
        """
        self._transport, self.items = transport, items
        self._users_per_request: int | None = None

    @classmethod
    def connect(
        cls,
        url: str,
        timeout: float = 10.0,
        token: str | None = None,
        ca: str | None = None,
        label: str | None = None,
        items: str | Path | None = None,
    ) -> Recommender:
        """A recommender that queries TF Serving; nothing is sent before the first request.

        Args:
            url: `http://host:8501`, `https://...`, `grpc://host:8500` or `grpcs://...`.
            timeout: deadline of one request in seconds, including all retries.
            token: bearer token.
            ca: PEM file of the trusted certificate authorities; None: those of the system.
            label: version label such as `canary`; None: `stable`, or the newest version of a server without labels.
            items: file with titles and other columns of items, see `data.items`.

        Raises:
            UserError: the URL has no known scheme or no host, or the file cannot be used.
        """
        return cls(connect(Connection(url, timeout, token, ca, label)), Items.read(items) if items else None)

    @classmethod
    def load(cls, path: str | Path, items: str | Path | None = None) -> Recommender:
        """A recommender in this process, using TensorFlow.

        Args:
            path: `DIR/serving/caser` (uses the newest version), or the directory of a version; or such a URI.
            items: file with titles and other columns of items; None: those that were pushed with the model.

        Raises:
            UserError: there is no model, or the file cannot be used.
        """
        if not isinstance(path, str | Path):
            raise UserError(f"`path` should be a directory. Received: {path!r}")
        transport = InProcessTransport(path)
        return cls(transport, Items.read(items) if items else Items.of_model(transport.folder))

    def recommend(
        self,
        user: str,
        recent: Iterable[str] = (),
        exclude: Iterable[str] = (),
        k: int = 10,
        among: Iterable[str] | None = None,
    ) -> Recommendations:
        """Recommends items to one user.

        Args:
            user: user id; unknown users get a shared embedding.
            recent: the user's most recent items, oldest first.
            exclude: further items that must not be recommended.
            k: number of recommendations.
            among: the only items that may be recommended; None: all items.

        Returns:
            At most k items.

        Raises:
            UserError: an argument is invalid; the model is missing, refuses the request, does not respond in time, or
                returns fewer items.
        """
        (recommendations,) = self.recommend_many([Query(user, recent, exclude, among)], k)
        return recommendations

    def recommend_many(self, queries: Sequence[Query], k: int = 10) -> list[Recommendations]:
        """Recommends items to a batch of users in one request.

        Args:
            queries: one per user; a batch of 64 takes about as long as ten single requests.
            k: number of recommendations per user.

        Returns:
            Recommendations in the order of the queries.

        Raises:
            UserError: the same as `recommend`.
        """
        return self._recommend([check_query(query) for query in queries], check_k(k))

    def _recommend(self, queries: Sequence[CheckedQuery], k: int) -> list[Recommendations]:
        if not queries:
            return []
        if self._users_per_request and len(queries) > self._users_per_request:
            return self._in_parts(queries, k, self._users_per_request)
        try:
            requests = PredictRequests(
                [query.user for query in queries],
                _padded([query.recent for query in queries]),
                _padded([query.exclude for query in queries]),
            )
            candidates = [query.among or [] for query in queries]
            predictions, version = self._transport.predict(requests, candidates=candidates)
        except UserError as error:
            limit = _BATCH_LIMIT.search(str(error))
            if limit is None or not 0 < int(limit[1]) < len(queries):
                raise
            self._users_per_request = int(limit[1])
            return self._in_parts(queries, k, self._users_per_request)
        recommendations = []
        for query, items, scores in zip(queries, predictions.item_ids, predictions.scores, strict=True):
            if k > len(items):
                raise UserError(
                    f"This model returns at most {len(items)} items. Received: k={k}. "
                    "Hint: use a smaller k, or train with a larger `export.k` (at most the catalogue size)."
                )
            # If the user has seen nearly all items, the rest is padded with "".
            # Adding 0 turns -0.0 into 0.0.
            best = [(item, score + 0.0) for item, score in zip(items[:k], scores, strict=False) if item]
            if query.among and not {item for item, _ in best} <= {*query.among}:
                raise UserError(
                    "The model recommends items that `among` does not name: it was exported by an older version, which "
                    "does not read it. Hint: train and push it again."
                )
            if excluded := set(query.exclude).intersection(item for item, _ in best) if query.exclude else ():
                raise UserError(
                    f"The model recommends excluded items ({', '.join(sorted(excluded))}): it was exported by an older "
                    "version, which reads no exclusions. Hint: train and push it again."
                )
            notes = self._transport.notes(query.user, query.recent)
            found = [item for item, _ in best]
            recommendations.append(
                Recommendations(query.user, version, found, [score for _, score in best], notes, self._titles(found))
            )
        return recommendations

    def _in_parts(self, queries: Sequence[CheckedQuery], k: int, size: int) -> list[Recommendations]:
        parts = (queries[first : first + size] for first in range(0, len(queries), size))
        return [answer for part in parts for answer in self._recommend(part, k)]

    def similar(self, item: str, k: int = 10) -> Similar:
        """Items that are similar to an item, and items that often follow it.

        Args:
            item: item id.
            k: number of items.

        Returns:
            At most k items of both kinds.

        Raises:
            UserError: an argument is invalid; the model does not know the item; the model is missing, refuses the
                request, or does not respond in time.
        """
        item, k = check_item(item), check_k(k)
        (similar, following), version = self._transport.similar([item])
        found, next_ = (
            [pair for pair in zip(part.item_ids[0], part.scores[0], strict=True) if pair[0]][:k]
            for part in (similar, following)
        )
        if not found and not next_:
            raise UserError(f"The model does not know the item {item!r}. Hint: check the ID; it is case-sensitive.")
        return Similar(
            item,
            version,
            [id_ for id_, _ in found],
            [score for _, score in found],
            [id_ for id_, _ in next_],
            [score for _, score in next_],
            self._titles([id_ for id_, _ in found]),
            self._titles([id_ for id_, _ in next_]),
        )

    def _titles(self, item_ids: list[str]) -> list[str]:
        return self.items.titles(item_ids) if self.items else []

    def close(self) -> None:
        """Closes all connections."""
        self._transport.close()

    def __enter__(self) -> Recommender:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _padded(lists: Sequence[Sequence[str]]) -> list[list[str]]:
    """Pads lists on the left to equal width; each begins with "", see `components.export.padding`."""
    width = 1 + max(map(len, lists))
    return [[*[""] * (width - len(texts)), *texts] for texts in lists]
