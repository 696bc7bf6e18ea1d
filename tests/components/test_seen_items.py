"""What a user had met is no negative."""

import hypothesis.strategies as st
import numpy as np
import tensorflow as tf
from hypothesis import given, settings

from components.seen_items import Pairs, among, nothing_seen, seen_items
from components.training_data import Windows
from components.windows import sliding_windows


def by_row(pairs, rows):
    """Lists of items, one per row."""
    return [pairs.item.numpy()[pairs.row.numpy() == row].tolist() for row in range(rows)]


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
    seen = seen_items(windows, len(rows))
    user, position = tf.constant(windows.user), tf.constant(windows.position)
    met = [set(rows[u - 2][:p]) for u, p in zip(windows.user, windows.position, strict=True)]
    assert by_row(seen.before(user, position), len(row)) == [sorted(items) for items in met]
    ever = seen.from_the_start().before(user, tf.ones_like(position))
    assert by_row(ever, len(row)) == [sorted(set(rows[u - 2])) for u in windows.user]

    asked = np.random.default_rng(0).integers(2, 11, [len(row), 3]).astype(np.int32)
    expected = [[item in items for item in line] for items, line in zip(met, asked.tolist(), strict=True)]
    np.testing.assert_array_equal(seen.had_met(user, position, tf.constant(asked)), expected)


def test_where_all_items_compete_nobody_had_met_any():
    user, position = tf.constant([2, 4]), tf.constant([9, 1])
    assert by_row(nothing_seen(3).before(user, position), 2) == [[], []]
    assert not np.any(nothing_seen(3).had_met(user, position, tf.constant([[2, 3], [4, 5]])))


@settings(deadline=None, max_examples=50)
@given(rows=st.lists(st.sets(st.integers(2, 9)), min_size=1, max_size=4), items=st.sets(st.integers(2, 9), min_size=1))
def test_of_shared_items_each_row_finds_those_it_has_seen(rows, items):
    items = sorted(items)
    pairs = [(row, item) for row, seen in enumerate(rows) for item in sorted(seen)]
    seen = Pairs(*np.array(pairs, np.int32).reshape(-1, 2).T)
    expected = [[item in row for item in items] for row in rows]
    np.testing.assert_array_equal(among(seen, tf.constant(items, tf.int32), len(rows)), expected)
