"""Means that do not depend on how users are grouped, to the last bit."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from components.features import FIRST_ID
from components.ranking.metrics import MAX_K, MISS
from components.ranking.totals import Totals, all_metrics

N_ITEMS = 40


def as_arrays(users):
    """Ranks, padded, and top items."""
    width = max(len(ranks) for ranks, _ in users)
    ranks = np.array([ranks + [0] * (width - len(ranks)) for ranks, _ in users])
    return ranks, np.array([top for _, top in users])


users_of_a_split = st.lists(
    st.tuples(
        st.lists(st.one_of(st.integers(1, 60), st.just(MISS)), min_size=1, max_size=30),
        st.lists(st.integers(FIRST_ID, N_ITEMS + 1), min_size=MAX_K, max_size=MAX_K),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=100, deadline=None)
@given(users_of_a_split, st.randoms(use_true_random=False), st.data())
def test_metrics_are_equal_bits_however_users_are_grouped(users, random, data):
    whole = all_metrics(*as_arrays(users), N_ITEMS)
    shuffled = random.sample(users, len(users))
    parts, merged = [], Totals()
    while shuffled:
        size = data.draw(st.integers(1, len(shuffled)))
        parts.append(Totals())
        parts[-1].add_users(*as_arrays(shuffled[:size]), N_ITEMS)
        shuffled = shuffled[size:]
    for part in random.sample(parts, len(parts)):
        merged.merge(part)
    assert merged.means() == whole
    assert merged.count("map") == len(users)


@given(st.lists(st.floats(2**-7, 1), min_size=1, max_size=50))
def test_mean_is_the_exact_one_rounded_once(values):
    totals = Totals()
    totals.add("map", np.array(values))
    assert totals.means() == {"map": float(sum(map(Fraction, values)) / len(values))}


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_mean_of_tiny_values_is_exact_to_60_bits(values):
    totals = Totals()
    totals.add("map", np.array(values))
    exact = sum(map(Fraction, values)) / len(values)
    assert abs(Fraction(totals.means()["map"]) - exact) < Fraction(1, 2**52)
