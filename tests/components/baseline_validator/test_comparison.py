"""The verdict against simple baselines."""

import numpy as np
import pytest

from components.baseline_validator.comparison import HeldOutItems, RunningComparison
from components.evaluator.settings import EvaluatorSettings
from components.features import FIRST_ID
from components.ranking.beyond_accuracy import Popularity
from components.ranking.evaluation import Ranking
from components.ranking.metrics import MAX_K, MISS, NO_RANK, user_metrics

N_ITEMS = 100
SETTINGS = EvaluatorSettings(metric="mrr")


def ranking(ranks):
    ranks = np.array(ranks).reshape(len(ranks), -1)
    return Ranking(ranks, np.tile(np.arange(MAX_K) + FIRST_ID, [len(ranks), 1]))


def ranks_with(mean, users=2000, seed=0):
    """Ranks whose mean reciprocal is about `mean`."""
    hits = np.random.default_rng(seed).random(users) < mean
    return np.where(hits, 1, MISS)


def compare(parts, held_out, settings=SETTINGS, groups=1):
    everybody = np.full(N_ITEMS, 4)
    running = RunningComparison(N_ITEMS, settings, Popularity(4, everybody, 2 * everybody))
    for index, rows in enumerate(np.array_split(np.arange(len(parts["test"].ranks)), groups)):
        rankings = {name: Ranking(part.ranks[rows], part.top_items[rows]) for name, part in parts.items()}
        running.add(rankings, HeldOutItems(0, 0, 0) if index else held_out)
    return running.result()


def compared(served, settings=SETTINGS, popularity=0.01, held_out=None, **baselines):
    parts = {"test": served, "popularity": ranks_with(popularity, len(served)), **baselines}
    rankings = {name: ranking(ranks) for name, ranks in parts.items()}
    return compare(rankings, held_out or HeldOutItems(len(served), 0, 0), settings)


def test_lists_are_described_apart_from_hits():
    metrics = compared(ranks_with(0.5)).metrics["test"]
    # Everybody gets the same ten items, with which every user has two interactions.
    assert (metrics["novelty_at_10"], metrics["average_popularity_at_10"]) == (0, 8)
    assert metrics["gini_at_10"] == pytest.approx(1 - 10 / N_ITEMS)


def test_model_above_the_strongest_baseline_is_blessed():
    result = compared(ranks_with(0.5), sequential_rules=ranks_with(0.2), neighbours=ranks_with(0.3))
    assert result.blessed
    assert result.baseline == "neighbours"
    assert "over neighbours" in result.reason
    low, high = result.margins["mrr"]
    expected = result.metrics["test"]["mrr"] - result.metrics["neighbours"]["mrr"]
    assert low < expected < high
    # Below 0.5 both hit the same users: the difference varies as a share of 0.2 does.
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.2 * 0.8 / 2000), rel=0.1)


def test_model_certainly_below_the_baseline_is_not_blessed():
    # Every user is served a little worse: a small difference, but a certain one.
    served, rules = np.full(500, 100), np.full(500, 99)
    result = compared(served, popularity=0, sequential_rules=rules)
    assert not result.blessed
    assert result.reason.startswith("worse than sequential rules: -0.0001 mrr (95 % interval -0.0001 to -0.0001)")


@pytest.mark.parametrize(("max_loss", "blessed"), [(0.02, False), (0.5, True), (None, True)])
def test_loss_within_the_noise_is_bounded_by_max_loss(max_loss, blessed):
    settings = SETTINGS.model_copy(update={"max_loss": max_loss})
    # Few users, each served by chance: the interval includes 0.
    result = compared(ranks_with(0.45, 60, 1), settings, popularity=0, sequential_rules=ranks_with(0.55, 60, 2))
    assert result.margins["mrr"][0] < 0 < result.margins["mrr"][1]
    assert result.blessed is blessed
    assert ("evaluator.max_loss" in result.reason) is not blessed


def test_metric_of_0_is_never_blessed():
    result = compared(np.full(50, MISS), popularity=0, sequential_rules=np.full(50, MISS))
    assert not result.blessed
    assert "is 0" in result.reason


def test_popularity_decides_alone_without_other_baselines():
    assert compared(ranks_with(0.3), popularity=0.1).baseline == "popularity"
    equal = compared(ranks_with(0.3), popularity=0.3)
    assert not equal.blessed
    assert "not above popularity" in equal.reason


def test_users_without_held_out_items_are_left_out():
    served, rules = np.array([1, NO_RANK, 2]), np.array([2, NO_RANK, 2])
    parts = {"test": ranking(served), "popularity": ranking([9, 0, 9]), "sequential_rules": ranking(rules)}
    result = compare(parts, HeldOutItems(2, 0, 0))
    assert result.users == 2
    assert result.metrics["test"]["mrr"] == pytest.approx(user_metrics(np.array([[1], [2]]))["mrr"].mean())
    assert result.intervals["test"]["mrr"] == pytest.approx((0.5, 1))


def test_groups_of_users_do_not_change_the_comparison():
    parts = {
        name: ranking(ranks_with(mean, 500, seed))
        for seed, (name, mean) in enumerate({"test": 0.3, "sequential_rules": 0.2, "popularity": 0.1}.items())
    }
    whole = compare(parts, HeldOutItems(500, 0, 0))
    assert compare(parts, HeldOutItems(500, 0, 0), groups=7) == whole


def test_split_without_held_out_items_is_not_blessed():
    result = compare({"test": ranking([0, 0]), "popularity": ranking([0, 0])}, HeldOutItems(0, 0, 0))
    assert not result.blessed
    assert "no held-out items" in result.reason


@pytest.mark.parametrize(
    ("held_out", "said"),
    [
        (HeldOutItems(200, 150, 50), "none of 200 held-out items can be recommended (150 are in the user's history"),
        (HeldOutItems(200, 0, 101), "only 99 of 200 held-out items"),
    ],
)
def test_split_whose_items_can_hardly_be_hit_judges_no_model(held_out, said):
    result = compared(ranks_with(0.5, 200), sequential_rules=ranks_with(0.2, 200), held_out=held_out)
    assert not result.blessed
    assert said in result.reason


def test_verdict_on_few_users_has_a_warning_with_the_interval():
    few, enough = (compared(ranks_with(0.5, users), sequential_rules=ranks_with(0.2, users)) for users in (99, 100))
    low, high = few.intervals["test"]["mrr"]
    assert few.warning.startswith("only 99 users were evaluated")
    assert few.warning.endswith(f"the 95 % interval of mrr is {low:.4f} to {high:.4f}")
    assert enough.warning is None
