"""The TFMA metric against the plain numpy functions, over merged parts."""

import numpy as np
import pytest
from tensorflow_model_analysis.metrics import metric_types

from components.evaluator.tfma_metrics import MARGIN, USERS, CaserRanking
from components.export.signatures import (
    CASER,
    HELD_OUT_ITEMS,
    HISTORY_LENGTH,
    ITEM_COUNT,
    PARTS,
    POPULARITY,
    RANKS,
    SEQUENTIAL_RULES,
    TOP_ITEMS,
)
from components.features import FIRST_ID
from components.ranking.metrics import MAX_K
from components.ranking.totals import all_metrics

N_ITEMS, N_USERS = 50, 700


def users():
    rng = np.random.default_rng(3)
    for _ in range(N_USERS):
        held_out = int(rng.integers(1, 6))
        yield {
            **{part + RANKS: rng.choice(N_ITEMS, held_out, replace=False) + 1 for part in PARTS},
            **{part + TOP_ITEMS: rng.choice(N_ITEMS, MAX_K, replace=False) + FIRST_ID for part in PARTS},
            HELD_OUT_ITEMS: rng.choice(N_ITEMS, held_out, replace=False) + FIRST_ID,
            HISTORY_LENGTH: np.array([rng.integers(1, 200)]),
            ITEM_COUNT: np.array([N_ITEMS]),
        }


def padded(rows):
    width = max(map(len, rows))
    return np.array([np.pad(row, (0, width - len(row))) for row in rows])


@pytest.fixture(scope="module")
def computed():
    return compute(list(users()))


def compute(rows, parts=3):
    (computation,) = CaserRanking().computations()
    combiner = computation.combiner
    accumulators = []
    for part in np.array_split(np.array(rows), parts):
        accumulator = combiner.create_accumulator()
        for user in part:
            accumulator = combiner.add_input(accumulator, metric_types.StandardMetricInputs(prediction=user))
        accumulators.append(accumulator)
    actual = combiner.extract_output(combiner.merge_accumulators(accumulators))
    return {key.name: value for key, value in actual.items()}


@pytest.mark.parametrize("prefix", PARTS)
def test_merged_accumulators_give_the_metrics_of_all_users(computed, prefix):
    rows = list(users())
    ranks, top = (padded([row[prefix + output] for row in rows]) for output in (RANKS, TOP_ITEMS))
    expected = all_metrics(ranks, top, N_ITEMS)
    for name, value in expected.items():
        assert computed[prefix + name] == pytest.approx(value), name
    assert computed[USERS] == N_USERS


@pytest.mark.parametrize(("seed", "parts"), [(1, 1), (2, 7), (3, 40)])
def test_metrics_are_equal_bits_on_every_engine(computed, seed, parts):
    # An engine chooses the order of users and the size of bundles.
    assert compute(np.random.default_rng(seed).permutation(np.array(list(users()))), parts) == computed


def test_margin_is_the_difference_to_popularity(computed):
    assert computed["map" + MARGIN] == pytest.approx(computed["map"] - computed[POPULARITY + "map"])


def test_slice_has_the_metrics_of_its_users(computed):
    lengths = np.array([row[HISTORY_LENGTH][0] for row in users()])
    short = [row for row in users() if 6 <= row[HISTORY_LENGTH][0] <= 20]
    expected = all_metrics(padded([row[RANKS] for row in short]), padded([row[TOP_ITEMS] for row in short]), N_ITEMS)
    assert computed["history length|6 to 20|map"] == pytest.approx(expected["map"])
    assert ("history length|101 and more|map" in computed) == bool((lengths > 100).any())


def test_head_slice_is_the_most_popular_tenth(computed):
    rows = [(row[RANKS], row[HELD_OUT_ITEMS]) for row in users()]
    # 10 % of 50 items: ids 2 to 6.
    head = [[rank for rank, item in zip(*row, strict=True) if item < FIRST_ID + 5] for row in rows]
    recalls = [np.mean([rank <= 10 for rank in ranks]) for ranks in head if ranks]
    assert computed["item popularity|head (top 10 %)|recall_at_10"] == pytest.approx(np.mean(recalls))


def test_model_of_an_earlier_release_has_no_metrics_of_parts():
    rows = [
        {name: value for name, value in row.items() if not name.startswith((CASER, SEQUENTIAL_RULES))}
        for row in users()
    ]
    computed = compute(rows[:9])
    assert {"map", POPULARITY + "map"} <= computed.keys()
    assert not [name for name in computed if name.startswith((CASER, SEQUENTIAL_RULES))]


def test_model_without_rules_has_no_metrics_of_rules():
    empty = {SEQUENTIAL_RULES + output: np.zeros(0, int) for output in (RANKS, TOP_ITEMS)}
    computed = compute([row | empty for row in users()][:9])
    assert CASER + "map" in computed
    assert not [name for name in computed if SEQUENTIAL_RULES in name]
