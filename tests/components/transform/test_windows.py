"""Windows: what training sees is what serving sees."""

import hypothesis.strategies as st
import numpy as np
import tensorflow as tf
from hypothesis import given, settings

from components.transform.windows import known_items, last_window, sliding_windows

histories = st.lists(st.lists(st.integers(2, 9), max_size=12), min_size=1, max_size=5)


def ragged(rows: list[list[int]]) -> tf.RaggedTensor:
    return tf.ragged.constant(rows, dtype=tf.int64, ragged_rank=1, row_splits_dtype=tf.int64)


def test_targets_are_the_items_after_the_sequence():
    row, sequence, targets, position = sliding_windows(ragged([[1, 2, 3, 4, 5, 6]]), 3, 2, False, False)
    np.testing.assert_array_equal(row, [0, 0])
    np.testing.assert_array_equal(sequence, [[1, 2, 3], [2, 3, 4]])
    np.testing.assert_array_equal(targets, [[4, 5], [5, 6]])
    np.testing.assert_array_equal(position, [3, 4])


def test_short_history_gives_one_padded_window():
    row, sequence, targets, position = sliding_windows(ragged([[1, 2, 3, 4], [1], [], [1, 2]]), 3, 2, False, False)
    np.testing.assert_array_equal(row, [0, 3])
    np.testing.assert_array_equal(sequence, [[0, 1, 2], [0, 0, 1]])
    np.testing.assert_array_equal(targets, [[3, 4], [2, 0]])
    np.testing.assert_array_equal(position, [2, 1])


def test_partial_windows_end_with_a_single_target():
    histories = ragged([[1, 2, 3, 4, 5, 6], [1, 2, 3, 4], [1, 2]])
    row, sequence, targets, _ = sliding_windows(histories, 3, 2, partial_sequences=False, partial_targets=True)
    np.testing.assert_array_equal(row, [0, 0, 0, 1, 1, 2])
    np.testing.assert_array_equal(sequence, [[1, 2, 3], [2, 3, 4], [3, 4, 5], [0, 1, 2], [1, 2, 3], [0, 0, 1]])
    np.testing.assert_array_equal(targets, [[4, 5], [5, 6], [6, 0], [3, 4], [4, 0], [2, 0]])


def test_partial_sequences_begin_with_a_single_item():
    histories = ragged([[1, 2, 3, 4, 5, 6], [1, 2, 3, 4], [1, 2], [1]])
    row, sequence, targets, position = sliding_windows(histories, 3, 2, partial_sequences=True, partial_targets=False)
    np.testing.assert_array_equal(row, [0, 0, 0, 0, 1, 1, 2])
    np.testing.assert_array_equal(
        sequence, [[0, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4], [0, 0, 1], [0, 1, 2], [0, 0, 1]]
    )
    np.testing.assert_array_equal(targets, [[2, 3], [3, 4], [4, 5], [5, 6], [2, 3], [3, 4], [2, 0]])
    np.testing.assert_array_equal(position, [1, 2, 3, 4, 1, 2, 1])


def plain_windows(
    history: list[int], L: int, T: int, partial_sequences: bool, partial_targets: bool
) -> list[tuple[list[int], list[int], int]]:
    """The same by hand, for one history."""
    if len(history) < 2:
        return []
    first = L if len(history) >= L + T else max(1, len(history) - T)
    last = len(history) - 1 if partial_targets else max(first, len(history) - T)
    first = 1 if partial_sequences else min(first, L)
    return [(([0] * L + history[:cut])[-L:], (history[cut:] + [0] * T)[:T], cut) for cut in range(first, last + 1)]


@settings(deadline=None, max_examples=60)
@given(rows=histories, L=st.integers(1, 6), T=st.integers(1, 4), partial=st.tuples(st.booleans(), st.booleans()))
def test_windows_equal_those_made_by_hand(rows, L, T, partial):
    row, sequence, targets, position = (part.numpy().tolist() for part in sliding_windows(ragged(rows), L, T, *partial))
    expected = [(i, *window) for i, history in enumerate(rows) for window in plain_windows(history, L, T, *partial)]
    assert list(zip(row, sequence, targets, position, strict=True)) == expected


@settings(deadline=None, max_examples=60)
@given(rows=histories, L=st.integers(1, 6))
def test_last_window_is_the_tail_of_the_history(rows, L):
    expected = [([0] * L + history)[-L:] for history in rows]
    np.testing.assert_array_equal(last_window(ragged(rows), L), expected)


@settings(deadline=None, max_examples=40)
@given(history=st.lists(st.integers(2, 9), min_size=9, max_size=12), L=st.integers(1, 6), T=st.integers(1, 3))
def test_serving_window_equals_the_training_window(history, L, T):
    _, sequence, targets, position = sliding_windows(ragged([history]), L, T, False, False)
    cut = len(history) - T
    np.testing.assert_array_equal(last_window(ragged([history[:cut]]), L)[0], sequence[-1])
    np.testing.assert_array_equal(targets[-1], history[cut:])
    assert position[-1] == cut


def test_unknown_items_leave_no_gap_in_a_window():
    np.testing.assert_array_equal(last_window(known_items(ragged([[5, 1, 6, 0, 7]])), 4), [[0, 5, 6, 7]])


def test_movielens_1m_gives_the_known_number_of_windows(shared_data):
    rows = np.loadtxt(shared_data / "ml1m-caser" / "test" / "train.txt", dtype=np.int64, usecols=(0, 1))
    ids = tf.RaggedTensor.from_row_lengths(rows[:, 1] + 1, np.unique(rows[:, 0], return_counts=True)[1])
    row, _, targets, _ = sliding_windows(ids, 5, 3, False, False)
    assert len(row) == 759_805
    assert (targets.numpy()[:, 0] > 0).all()
