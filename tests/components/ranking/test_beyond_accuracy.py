"""Novelty, average popularity and Gini index, against their definitions written out."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.features import FIRST_ID
from components.ranking.beyond_accuracy import AVERAGE_POPULARITY, GINI, NOVELTY, Exposure, Popularity

HISTORIES = [["a", "a", "b"], ["a"], ["c", "b"], ["a", "c", "c"]]
ITEMS = "abcd"


def batch(*histories):
    row = [number for number, history in enumerate(histories) for _ in history]
    column = [ITEMS.index(item) for history in histories for item in history]
    return np.array(row, np.int64), np.array(column, np.int64)


def top(*lists):
    return np.array([[ITEMS.index(item) + FIRST_ID if item != "-" else 0 for item in row] for row in lists])


def exposure(*batches):
    result = Exposure(len(ITEMS))
    for lists in batches:
        result.add(lists)
    return result


@pytest.fixture
def popularity():
    return Popularity.of([batch(*HISTORIES[:1]), batch(*HISTORIES[1:])], len(ITEMS))


def test_popularity_counts_users_once_and_interactions_each_time(popularity):
    assert popularity.users == 4
    assert popularity.of_users.tolist() == [3, 2, 2, 0]
    assert popularity.of_interactions.tolist() == [4, 2, 3, 0]


def test_metrics_are_those_of_their_definitions(popularity):
    actual = exposure(top("ab", "a-"), top("cb")).metrics(popularity)
    shown = ["a", "b", "a", "c", "b"]
    users = {"a": 3, "b": 2, "c": 2}
    interactions = {"a": 4, "b": 2, "c": 3}
    assert actual[NOVELTY] == pytest.approx(sum(-math.log2(users[item] / 4) for item in shown) / 5)
    assert actual[AVERAGE_POPULARITY] == pytest.approx(sum(interactions[item] for item in shown) / 5)
    counts = [2, 2, 1, 0]
    mean_difference = sum(abs(x - y) for x, y in itertools.product(counts, counts)) / len(counts) ** 2
    assert actual[GINI] == pytest.approx(mean_difference / (2 * np.mean(counts)))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_gini_is_half_the_relative_mean_difference(chosen):
    counts = np.bincount(chosen, minlength=4)
    lists = np.array(chosen)[:, np.newaxis] + FIRST_ID
    popularity = Popularity(1, np.ones(4, int), np.ones(4, int))
    expected = np.abs(counts[:, None] - counts).mean() / (2 * counts.mean())
    assert exposure(lists).metrics(popularity)[GINI] == pytest.approx(expected)


def test_equal_exposure_has_gini_0_and_a_single_item_nearly_1(popularity):
    assert exposure(top("a", "b", "c", "d")).metrics(popularity)[GINI] == 0
    assert exposure(top("a", "a", "a")).metrics(popularity)[GINI] == pytest.approx(0.75)  # 1 - 1 / items


def test_only_the_top_10_counts():
    lists = np.arange(12)[np.newaxis] + FIRST_ID
    result = Exposure(12)
    result.add(lists)
    assert result.metrics(Popularity(1, np.ones(12, int), np.arange(12)))[AVERAGE_POPULARITY] == 4.5


def test_no_lists_have_no_metrics(popularity):
    assert exposure().metrics(popularity) == {}
