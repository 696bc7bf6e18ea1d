import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.features import FIRST_ID
from components.ranking.metrics import CUTOFFS, MAX_K, MISS, NO_RANK, user_metrics
from components.ranking.totals import all_metrics


def plain(ranks):
    """The definitions, for one user, without numpy."""
    hits = sorted(rank for rank in ranks if rank != MISS)
    values = {
        "map": sum((i + 1) / rank for i, rank in enumerate(hits)) / len(ranks),
        "mrr": 1 / hits[0] if hits else 0.0,
    }
    for k in CUTOFFS:
        inside = [rank for rank in hits if rank <= k]
        values[f"precision_at_{k}"] = len(inside) / k
        values[f"recall_at_{k}"] = len(inside) / len(ranks)
        values[f"hit_rate_at_{k}"] = float(bool(inside))
        ideal = sum(1 / math.log2(i + 2) for i in range(min(k, len(ranks))))
        values[f"ndcg_at_{k}"] = sum(1 / math.log2(1 + rank) for rank in inside) / ideal
    return values


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(1, 60), min_size=1, max_size=8, unique=True), min_size=1, max_size=5), st.data())
def test_metrics_equal_their_plain_definitions(users, data):
    users = [[MISS if data.draw(st.booleans()) else rank for rank in ranks] for ranks in users]
    padded = np.full((len(users), max(map(len, users))), NO_RANK)
    for row, ranks in enumerate(users):
        padded[row, : len(ranks)] = ranks
    actual = all_metrics(padded, np.zeros([len(users), MAX_K], int), 10)
    for prefix, of in (("", users), ("next_item_", [ranks[:1] for ranks in users])):
        expected = [plain(ranks) for ranks in of]
        for name in expected[0]:
            assert actual[prefix + name] == pytest.approx(np.mean([value[name] for value in expected])), prefix + name


def test_average_precision_equals_the_authors_evaluation():
    # Hits at ranks 1 and 4 of three held-out items: (1/1 + 2/4) / 3.
    assert user_metrics(np.array([[4, MISS, 1]]))["map"].tolist() == pytest.approx([0.5])


def test_coverage_counts_distinct_items_of_all_users():
    top = np.zeros([2, MAX_K], int)
    top[0, :2], top[1, :2] = [FIRST_ID, FIRST_ID + 1], [FIRST_ID, FIRST_ID + 2]
    actual = all_metrics(np.array([[1], [1]]), top, 10)
    assert actual["coverage_at_1"] == pytest.approx(0.1)
    assert actual["coverage_at_5"] == pytest.approx(0.3)
