"""What a model carries of the rules, and how it scores with it."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import sparse

from components.features import FIRST_ID
from components.sequential_rules.rules import count, discount, scores
from components.sequential_rules.scorer import FLOOR, RuleScorer, ranking_scores
from components.sequential_rules.settings import SequentialRulesSettings
from components.sequential_rules.tables import read_tables, strongest_followers, write_tables
from components.transform.sequences import Sequences

N_ITEMS = 9
SETTINGS = SequentialRulesSettings(history=3, history_decay=0.7, window=4)


def ragged(rows):
    return tf.ragged.constant(
        [[item + FIRST_ID for item in row] for row in rows], dtype=tf.int64, ragged_rank=1, row_splits_dtype=tf.int64
    )


@pytest.fixture(scope="module")
def counts():
    rng = np.random.default_rng(5)
    train = Sequences.of(ragged([rng.integers(0, N_ITEMS - 1, length).tolist() for length in (9, 1, 14, 2, 5)]))
    return discount(count([train], N_ITEMS, SETTINGS), np.bincount(train.item, minlength=N_ITEMS), SETTINGS)


def test_strongest_followers_are_kept_in_order_of_weight():
    matrix = sparse.csr_matrix([[0, 3, 1, 2], [0, 0, 0, 0], [5, 5, 5, 0], [0, 0, 4, 0]], dtype=float)
    tables = strongest_followers(matrix, 2, history=1, history_decay=0)
    assert tables.start.tolist() == [0, 2, 2, 4, 5]
    # Of equal weights, the most popular items.
    assert tables.follower.tolist() == [1, 3, 0, 1, 2]
    assert tables.weight.tolist() == [3, 2, 5, 5, 4]


def test_tables_survive_a_file(counts, tmp_path):
    tables = strongest_followers(counts, 3, 4, 0.5)
    write_tables(tables, str(tmp_path / "rules.npz"))
    for expected, actual in zip(tables, read_tables(str(tmp_path / "rules.npz")), strict=True):
        np.testing.assert_array_equal(actual, expected)


def test_evidence_is_that_of_the_counts(counts):
    # The last item of the catalogue never occurs; a repeated item counts each time.
    histories = [[0, 1, 2, 3, 4], [], [N_ITEMS - 1], [5], [6, 6]]
    scorer = RuleScorer(strongest_followers(counts, N_ITEMS, SETTINGS.history, SETTINGS.history_decay))
    plain = np.maximum(scores(counts, Sequences.of(ragged(histories)), SETTINGS), 0)
    plain[plain < 1e-6] = 0  # without the order of ties
    total = plain.sum(axis=1, keepdims=True)
    expected = np.log1p(np.divide(plain, total, out=np.zeros_like(plain), where=total > 0) / FLOOR)
    np.testing.assert_allclose(scorer.evidence(ragged(histories)), expected, rtol=1e-4, atol=1e-5)


def test_evidence_of_a_batch_without_users_is_empty(counts):
    scorer = RuleScorer(strongest_followers(counts, 2, 3, 0.7))
    assert scorer.evidence(ragged([[1]])[:0]).shape == (0, N_ITEMS)


def test_ranking_without_evidence_is_by_popularity(counts):
    scorer = RuleScorer(strongest_followers(counts, N_ITEMS, 3, 0.7))
    order = np.argsort(-ranking_scores(scorer.evidence(ragged([[], [0]]))).numpy(), axis=1)
    assert order[0].tolist() == list(range(N_ITEMS))
    known = (counts[0].toarray()[0] > 0).sum()
    assert order[1][known:].tolist() == sorted(order[1][known:])
