"""What a user had met is no negative."""

import hypothesis.strategies as st
import numpy as np
import tensorflow as tf
from hypothesis import given, settings

from components.seen_items import among, among_shared, columns, nothing_seen, seen_items
from components.training_data import Windows
from components.windows import sliding_windows

rows_of_items = st.lists(st.sets(st.integers(2, 9)), min_size=1, max_size=4)


def ragged(rows):
    return tf.RaggedTensor.from_row_lengths(
        np.array([item for row in rows for item in sorted(row)], np.int32), [len(row) for row in rows]
    )


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(st.lists(st.integers(2, 9), max_size=12), min_size=1, max_size=4),
    L=st.integers(1, 5),
    T=st.integers(1, 3),
    partial=st.booleans(),
)
def test_before_a_window_a_user_had_met_what_comes_earlier_in_the_history(rows, L, T, partial):
    histories = tf.ragged.constant(rows, dtype=tf.int64, ragged_rank=1, row_splits_dtype=tf.int64)
    row, *rest = (part.numpy().astype(np.int32) for part in sliding_windows(histories, L, T, partial))
    windows = Windows(row + 2, *rest)
    if not len(row):
        return
    seen = seen_items(windows, len(rows)).before(tf.constant(windows.user), tf.constant(windows.position))
    assert seen.dtype == tf.int32
    assert seen.to_list() == [
        sorted(set(rows[user - 2][:position])) for user, position in zip(windows.user, windows.position, strict=True)
    ]
    ever = (
        seen_items(windows, len(rows)).from_the_start().before(tf.constant(windows.user), tf.ones(len(row), tf.int32))
    )
    assert ever.to_list() == [sorted(set(rows[user - 2])) for user in windows.user]


def test_where_all_items_compete_nobody_had_met_any():
    assert nothing_seen(3).before(tf.constant([2, 4]), tf.constant([9, 1])).to_list() == [[], []]


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
def test_columns_are_where_the_scores_of_seen_items_are(rows):
    scores = np.zeros([len(rows), 8])
    scores[tuple(columns(ragged(rows)).numpy().T)] = 1
    np.testing.assert_array_equal(scores, [[item in row for item in range(2, 10)] for row in rows])
