"""The ceiling of the built-in sample: its oracle ranking, by the true probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from components.features import FIRST_ID
from components.ranking.metrics import MAX_K
from components.ranking.totals import all_metrics
from pipeline.sample import generator


def oracle_metrics(
    users: Sequence[str], histories: Sequence[Sequence[str]], held_out: Sequence[Sequence[str]]
) -> dict[str, float] | None:
    """Metrics of the ranking by true probabilities.

    A single held-out item is drawn from exactly these probabilities, so no ranking of unseen items has a higher
    expected MAP, MRR, hit rate or NDCG.

    Args:
        users: user ids, one per row.
        histories: item ids before the held-out ones, oldest first.
        held_out: ids of held-out items.

    Returns:
        The metrics of `components.ranking.metrics`, or None if a row does not have exactly one held-out item: then the
        best ranking is unknown.
    """
    if any(len(items) != 1 for items in held_out):
        return None
    width = max(map(len, histories))
    heard = np.array([[-1] * (width - len(items)) + [generator.song_of(item) for item in items] for items in histories])
    rows = np.array([generator.user_of(user) for user in users])
    scores = generator.generate().probabilities(rows, heard)
    row, column = np.nonzero(heard >= 0)
    scores[row, heard[row, column]] = -1

    target = np.array([generator.song_of(items[0]) for items in held_out])
    # Ties count against the ranking, as for the model.
    ranks = (scores >= scores[np.arange(len(target)), target][:, None]).sum(axis=1)
    top_items = np.argsort(-scores, axis=1, kind="stable")[:, :MAX_K] + FIRST_ID
    return all_metrics(ranks[:, None], top_items, generator.SONGS)
