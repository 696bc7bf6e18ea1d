"""The input of the next prediction."""

import hypothesis.strategies as st
import numpy as np
import tensorflow as tf
from hypothesis import given, settings

from components.model.windows import last_window
from components.transform.vocabulary import known_items


def ragged(rows: list[list[int]]) -> tf.RaggedTensor:
    return tf.ragged.constant(rows, dtype=tf.int64, ragged_rank=1, row_splits_dtype=tf.int64)


@settings(deadline=None, max_examples=60)
@given(rows=st.lists(st.lists(st.integers(2, 9), max_size=12), min_size=1, max_size=5), L=st.integers(1, 6))
def test_last_window_is_the_tail_of_the_history(rows, L):
    expected = [([0] * L + history)[-L:] for history in rows]
    np.testing.assert_array_equal(last_window(ragged(rows), L), expected)


def test_unknown_items_leave_no_gap_in_a_window():
    np.testing.assert_array_equal(last_window(known_items(ragged([[5, 1, 6, 0, 7]])), 4), [[0, 5, 6, 7]])
