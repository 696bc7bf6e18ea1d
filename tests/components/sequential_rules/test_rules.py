"""Counts, scores and tables against the formula written out, pair by pair."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.sequential_rules import rules
from components.sequential_rules.rules import blocks, bytes_needed, count, discount, scores
from components.sequential_rules.settings import SequentialRulesSettings
from components.transform.sequences import Sequences

UNDISCOUNTED = {"earlier_discount": 0, "later_discount": 0}
PLAIN = SequentialRulesSettings(history=1, history_decay=0, window=1, window_decay=0, **UNDISCOUNTED)


def sequences(*histories):
    return Sequences(
        np.array([item for history in histories for item in history], np.int64),
        np.cumsum([0, *map(len, histories)]),
    )


def counted_by_hand(histories, n_items, settings):
    counts = np.zeros([n_items, n_items])
    for history in histories:
        for place, item in enumerate(history):
            for distance, later in enumerate(history[place + 1 :][: settings.window], start=1):
                counts[item, later] += 1 / distance**settings.window_decay
    often = np.array([max(sum(history.count(item) for history in histories), 1) for item in range(n_items)])
    return counts / (often[:, None] ** settings.earlier_discount * often**settings.later_discount)


def scored_by_hand(counts, history, settings):
    newest_first = history[::-1][: settings.history]
    return sum(
        (counts[item] / back**settings.history_decay for back, item in enumerate(newest_first, start=1)),
        np.zeros(len(counts)),
    )


def test_counts_do_not_cross_users():
    assert count([sequences([0, 1, 2], [0, 1], [1])], 3, PLAIN).toarray().tolist() == [[0, 2, 0], [0, 0, 1], [0, 0, 0]]


def test_counts_decay_with_distance():
    counts = count(
        [sequences([0, 1, 2])], 3, SequentialRulesSettings(window=2, window_decay=1, **UNDISCOUNTED)
    ).toarray()
    assert counts.tolist() == [[0, 1, 0.5], [0, 0, 1], [0, 0, 0]]


def test_scores_decay_with_the_age_of_an_item():
    counts = count([sequences([0, 2], [1, 3])], 4, PLAIN)
    actual = scores(counts, sequences([0, 1]), SequentialRulesSettings(history=2, history_decay=1))
    np.testing.assert_allclose(actual, [[0, 0, 0.5, 1]], atol=1e-8)
    only_the_newest = scores(counts, sequences([0, 1]), PLAIN)
    np.testing.assert_allclose(only_the_newest, [[0, 0, 0, 1]], atol=1e-8)


def test_scores_without_counts_are_in_order_of_popularity():
    actual = scores(count([sequences([0, 3])], 4, PLAIN), sequences([], [1], [0]), PLAIN)
    assert np.argsort(-actual, axis=1).tolist() == [[0, 1, 2, 3], [0, 1, 2, 3], [3, 0, 1, 2]]


@pytest.mark.parametrize("pairs_at_once", [1, 40, 1 << 22])
def test_scores_equal_the_formula_for_any_chunk_size(pairs_at_once, monkeypatch):
    monkeypatch.setattr(rules, "MAX_PAIRS", pairs_at_once)
    rng = np.random.default_rng(3)
    histories = [rng.integers(0, 7, length).tolist() for length in (9, 1, 0, 14, 2, 5)]
    settings = SequentialRulesSettings(
        history=4, history_decay=0.7, window=3, window_decay=1.2, earlier_discount=0.6, later_discount=0.3
    )
    counts = discount(
        count([sequences(*histories)], 7, settings), np.bincount(sequences(*histories).item, minlength=7), settings
    )
    expected = counted_by_hand(histories, 7, settings)
    np.testing.assert_allclose(counts.toarray(), expected)
    np.testing.assert_allclose(
        scores(counts, sequences(*histories), settings),
        [scored_by_hand(expected, history, settings) for history in histories],
        atol=1e-7,
    )


def test_memory_bound_is_an_upper_bound():
    histories = sequences([0, 1, 2, 3] * 50)
    for n_items in (4, 1000):
        frequency = np.bincount(histories.item, minlength=n_items)
        counts = count([histories], n_items, SequentialRulesSettings(window=5))
        size = counts.data.nbytes + counts.indices.nbytes
        assert size <= bytes_needed(frequency, SequentialRulesSettings(window=5)).sum()
    assert bytes_needed(np.array([3, 2, 0, 7]), PLAIN).tolist() == [36 * 3, 36 * 2, 0, 36 * 4]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30), st.integers(1, 5000))
def test_blocks_cover_all_items_and_fit_in_memory_unless_of_a_single_item(frequency, limit):
    frequency = np.array(frequency)
    settings = SequentialRulesSettings(window=3, max_memory_gb=limit / 1e9)
    found = blocks(frequency, settings)
    assert [item for block in found for item in block] == list(range(len(frequency)))
    needed = bytes_needed(frequency, settings)
    assert all(len(block) == 1 or needed[block.start : block.stop].sum() <= limit for block in found)


def test_counts_of_blocks_are_rows_of_the_counts_of_all_items():
    rng = np.random.default_rng(5)
    histories = sequences(*(rng.integers(0, 9, length).tolist() for length in (12, 3, 7, 20)))
    settings = SequentialRulesSettings(window=4)
    frequency = np.bincount(histories.item, minlength=9)
    whole = discount(count([histories], 9, settings), frequency, settings).toarray()
    for block in (range(0, 4), range(4, 5), range(5, 9)):
        counts = discount(count([histories], 9, settings, block), frequency, settings, block)
        np.testing.assert_allclose(counts.toarray(), whole[block.start : block.stop])
