"""Seen items are no negatives."""

import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings

from components.features import FIRST_ID
from components.trainer.negatives.dense_mask import NEVER, DenseSeenMask
from components.trainer.negatives.seen_items import FirstInteractions, first_interactions, seen_items
from components.trainer.negatives.sparse_mask import SparseSeenMask
from components.transform.histories import EncodedHistories

N_ITEMS = 10


@pytest.mark.parametrize("form", [DenseSeenMask, SparseSeenMask])
@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(st.lists(st.integers(2, N_ITEMS + 1), max_size=12), min_size=1, max_size=4),
    shared=st.sets(st.integers(2, N_ITEMS + 1), min_size=1),
)
def test_seen_items_are_those_earlier_in_the_history(form, rows, shared):
    lengths = np.array([len(row) for row in rows])
    histories = EncodedHistories.of(np.arange(len(rows)) + 2, np.concatenate(rows), lengths)
    if not len(histories.item):
        return
    seen = form.of(*first_interactions(histories), len(rows), N_ITEMS)
    places = [(u, p) for u, length in enumerate(lengths) for p in range(length + 1)]
    user, position = tf.constant([u + 2 for u, _ in places]), tf.constant([p for _, p in places])
    before = [set(rows[u][:p]) for u, p in places]
    every = range(FIRST_ID, N_ITEMS + FIRST_ID)
    expected = [[item in items for item in every] for items in before]
    np.testing.assert_array_equal(seen.for_catalog(user, position), expected)
    expected = [[item in items for item in sorted(shared)] for items in before]
    np.testing.assert_array_equal(seen.for_shared_candidates(user, position, tf.constant(sorted(shared))), expected)
    own = np.random.default_rng(0).integers(2, N_ITEMS + 2, [len(places), 3]).astype(np.int32)
    expected = [[item in items for item in line] for items, line in zip(before, own.tolist(), strict=True)]
    np.testing.assert_array_equal(seen.for_row_candidates(user, position, tf.constant(own)), expected)


@pytest.mark.parametrize(
    ("n_users", "n_items", "place", "form"),
    [
        (6_000, 4_000, NEVER - 1, DenseSeenMask),
        (6_000, 4_000, NEVER, SparseSeenMask),  # a place that two bytes cannot hold
        (200_000, 1_000, 3, SparseSeenMask),
    ],
)
def test_dense_mask_is_used_only_for_small_catalogues(n_users, n_items, place, form):
    interactions = FirstInteractions(*np.array([[2], [3], [place]], np.int32))
    seen = seen_items(interactions, n_users, n_items)
    assert isinstance(seen, form)
    users, positions = tf.constant([2, 2, 3]), tf.constant([place, min(place + 1, NEVER), place])
    actual = seen.for_row_candidates(users, positions, tf.constant([[3], [3], [3]]))
    assert actual[:, 0].numpy().tolist() == [False, place < NEVER, False]


def test_seen_items_survive_uint16_overflow():
    seen = seen_items(FirstInteractions(*np.array([[2], [3], [5]], np.int32)), 1, 4)
    assert isinstance(seen, DenseSeenMask)
    for position in (NEVER - 1, NEVER, NEVER + 1, NEVER + 4, 3 * NEVER):
        user, at = tf.constant([2]), tf.constant([position])
        assert seen.for_catalog(user, at).numpy().tolist() == [[False, True, False, False]]
        assert seen.for_row_candidates(user, at, tf.constant([[3, 4]])).numpy().tolist() == [[True, False]]
