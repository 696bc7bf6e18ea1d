"""A user's own items are no negatives for them."""

import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings

from components import own_items as module
from components.own_items import among, among_shared, columns, nobodys_items, own_items
from components.training_data import Windows

rows_of_items = st.lists(st.sets(st.integers(2, 9)), min_size=1, max_size=4)


def ragged(rows):
    return tf.RaggedTensor.from_row_lengths(
        np.array([item for row in rows for item in sorted(row)], np.int32), [len(row) for row in rows]
    )


@pytest.mark.parametrize("windows_at_once", [1, 2, 1000])
def test_a_users_items_are_those_of_all_their_windows_once(windows_at_once, monkeypatch):
    monkeypatch.setattr(module, "_WINDOWS_AT_ONCE", windows_at_once)
    windows = Windows(
        np.array([2, 2, 2, 5, 6], np.int32),
        np.array([[0, 3], [3, 4], [4, 3], [0, 9], [2, 3]], np.int32),
        np.array([[4, 3], [3, 7], [7, 0], [2, 0], [4, 5]], np.int32),
    )
    own = own_items(windows, n_users=5)
    assert own.to_list() == [[], [], [3, 4, 7], [], [], [2, 9], [2, 3, 4, 5]]
    assert own.dtype == tf.int32


def test_where_all_items_compete_nobody_has_any():
    assert nobodys_items(3).to_list() == [[]] * 5


@settings(deadline=None, max_examples=50)
@given(rows=rows_of_items, items=st.sets(st.integers(2, 9), min_size=1))
def test_shared_items_are_found(rows, items):
    items = sorted(items)
    expected = [[item in row for item in items] for row in rows]
    np.testing.assert_array_equal(among_shared(ragged(rows), tf.constant(items, tf.int32)), expected)


@settings(deadline=None, max_examples=50)
@given(rows=rows_of_items, seed=st.integers(0, 99))
def test_items_of_a_row_are_looked_up_in_that_row(rows, seed):
    items = np.random.default_rng(seed).integers(2, 10, [len(rows), 3]).astype(np.int32)
    expected = [[item in row for item in line] for row, line in zip(rows, items.tolist(), strict=True)]
    np.testing.assert_array_equal(among(ragged(rows), tf.constant(items)), expected)


@settings(deadline=None, max_examples=50)
@given(rows=rows_of_items)
def test_columns_are_where_the_scores_of_own_items_are(rows):
    scores = np.zeros([len(rows), 8])
    scores[tuple(columns(ragged(rows)).numpy().T)] = 1
    np.testing.assert_array_equal(scores, [[item in row for item in range(2, 10)] for row in rows])
