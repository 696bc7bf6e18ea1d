import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.features import FIRST_ID, PADDING, UNKNOWN
from components.ranking.metrics import MISS, NO_RANK
from components.ranking.ranks import held_out_ranks, top_items


def ranks(scores, seen, held_out):
    actual, items = held_out_ranks(
        tf.constant(scores, tf.float32), tf.constant(seen, tf.int64), tf.constant(held_out, tf.int64)
    )
    return actual.numpy().tolist(), items.numpy().tolist()


def test_ranks_count_from_one_among_unseen_items():
    # Ids 2, 3, 4, 5; id 5 is the best but seen.
    assert ranks([[0.1, 0.3, 0.2, 0.9]], [[5]], [[3, 4, 2]]) == ([[1, 2, 3]], [[3, 4, 2]])


def test_ties_count_against_the_model():
    assert ranks([[0.5, 0.5, 0.5]], [[0]], [[2]])[0] == [[3]]


def test_unknown_or_seen_items_are_misses():
    assert ranks([[0.1, 0.2, 0.3]], [[4]], [[UNKNOWN, 4, 3, UNKNOWN]])[0] == [[MISS, MISS, 1, MISS]]


def test_repeated_held_out_item_counts_once():
    actual, items = ranks([[0.1, 0.2, 0.3]], [[0]], [[3, 2, 3, 4]])
    assert actual == [[2, 3, 1, NO_RANK]]
    assert items == [[3, 2, 4, PADDING]]


@pytest.mark.parametrize("score", [float("nan"), float("-inf")])
def test_nan_scores_rank_last(score):
    assert ranks([[score, 0.0, 1.0]], [[0]], [[2]])[0] == [[3]]


def test_user_without_held_out_items_has_no_ranks():
    assert ranks(np.zeros([2, 3]), [[0], [0]], np.zeros([2, 0]))[0] == [[], []]


def test_top_items_exclude_seen_ones():
    best, scores = top_items(tf.constant([[0.1, 0.3, 0.3, 0.9]]), tf.constant([[5, 0]], tf.int64), 5)
    assert best.numpy().tolist() == [[3, 4, 2, PADDING, PADDING]]
    lowest = np.finfo(np.float32).min
    np.testing.assert_allclose(scores.numpy(), [[0.3, 0.3, 0.1, lowest, lowest]])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_ranks_equal_counting_by_hand(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 12))
    scores = rng.integers(0, 4, n).astype(np.float32)
    seen = rng.choice(n, rng.integers(0, n), replace=False)
    held_out = rng.choice(n, rng.integers(1, n + 1), replace=False)
    unseen = [j for j in range(n) if j not in seen]
    expected = [MISS if j in seen else sum(scores[i] >= scores[j] for i in unseen) for j in held_out]
    actual, _ = ranks([scores], [[*(seen + FIRST_ID), 0]], [held_out + FIRST_ID])
    assert actual == [expected]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_ranks_of_a_row_do_not_depend_on_its_batch(seed):
    rng = np.random.default_rng(seed)
    rows, n, width = 3, 6, 5
    scores = rng.choice([0.0, 1.0, 2.0, np.nan, np.inf, -np.inf], [rows, n])
    seen = rng.integers(PADDING, n + FIRST_ID, [rows, 2])
    held_out = rng.integers(PADDING, n + FIRST_ID, [rows, width])
    actual, items = ranks(scores, seen, held_out)
    for row in range(rows):
        expected = counted_by_hand(scores[row], seen[row], held_out[row])
        padding = [(NO_RANK, PADDING)] * (width - len(expected))
        assert list(zip(actual[row], items[row], strict=True)) == expected + padding


def counted_by_hand(scores, seen, held_out):
    """(rank, item) of one user, by counting."""
    value = {j + FIRST_ID: -np.inf if np.isnan(score) else score for j, score in enumerate(scores)}
    unseen = [item for item in value if item not in seen]
    actual = []
    for item in held_out:
        if item == PADDING or (item != UNKNOWN and item in [known for _, known in actual]):
            continue
        known = item in unseen
        actual.append((sum(value[other] >= value[item] for other in unseen) if known else MISS, item))
    return actual
