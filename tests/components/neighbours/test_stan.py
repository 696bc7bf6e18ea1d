"""The neighbourhood method against its formula, written out pair by pair."""

import math

import numpy as np
import pytest
import tensorflow as tf

from components.features import FIRST_ID
from components.neighbours import stan
from components.neighbours.executor import evaluate
from components.neighbours.settings import NeighboursSettings
from components.neighbours.stan import Neighbourhood, bytes_needed, scores
from components.ranking.evaluation import HeldOutUsers
from components.transform.sequences import Sequences

N_ITEMS = 8


def sequences(rows):
    return Sequences(np.array([item for row in rows for item in row], np.int64), np.cumsum([0, *map(len, rows)]))


def by_hand(train, history, settings):
    recent = {}
    for k, item in enumerate(reversed(history[-settings.history :])):
        recent.setdefault(item, math.exp(-k / settings.history_decay))
    # A repeated item is kept at its last position only.
    distinct = [[item for n, item in enumerate(row) if item not in row[n + 1 :]] for row in train]
    similarity = [sum(recent.get(item, 0) for item in row) / math.sqrt(max(len(row), 1)) for row in distinct]
    nearest = sorted(range(len(train)), key=lambda n: -similarity[n])[: settings.neighbours]
    result = np.zeros(N_ITEMS)
    for n in nearest:
        if similarity[n]:
            anchor = max(range(len(distinct[n])), key=lambda place: recent.get(distinct[n][place], 0))
            for place, item in enumerate(distinct[n]):
                result[item] += similarity[n] * math.exp(-abs(place - anchor) / settings.distance_decay)
    users = [max(sum(item in row for row in train), 1) for item in range(N_ITEMS)]
    return result * np.log1p(len(train) / np.array(users)) ** settings.idf


@pytest.mark.parametrize("elements", [1, 40, 1 << 21])
@pytest.mark.parametrize("neighbours", [3, 100])
def test_scores_equal_the_formula_for_any_chunk_size(elements, neighbours, monkeypatch):
    monkeypatch.setattr(stan, "MAX_ELEMENTS", elements)
    rng = np.random.default_rng(1)
    train = [rng.integers(0, N_ITEMS - 1, length).tolist() for length in (7, 1, 0, 12, 2, 5, 6)]
    # Users without a history, with an item that nobody has, and with repeated items.
    histories = [[0, 1, 2, 3], [], [N_ITEMS - 1], [4, 4, 2], rng.integers(0, 7, 9).tolist()]
    settings = NeighboursSettings(neighbours=neighbours, history=4, history_decay=2, distance_decay=3, idf=0.7)
    actual = scores(Neighbourhood.of(sequences(train), N_ITEMS), sequences(histories), settings)
    expected = [by_hand(train, history, settings) for history in histories]
    np.testing.assert_allclose(actual, expected, atol=1e-9)


def test_scores_without_neighbours_are_in_order_of_popularity():
    actual = scores(Neighbourhood.of(sequences([[0, 1]]), 4), sequences([[], [3]]), NeighboursSettings())
    assert np.argsort(-actual, axis=1).tolist() == [[0, 1, 2, 3]] * 2


def ids(*rows):
    columns = [[ord(item) - ord("a") + FIRST_ID for item in row] for row in rows]
    return tf.ragged.constant(columns, dtype=tf.int64, ragged_rank=1, row_splits_dtype=tf.int64)


def histories(*rows):
    return users(*((row, "") for row in rows))


def users(*rows):
    before, after = zip(*rows, strict=True)
    return HeldOutUsers(tf.constant([""] * len(rows)), ids(*before), ids(*after))


def test_held_out_items_are_ranked_among_unseen_ones():
    train = histories("abc", "abd", "abd", "ef")
    summary, ranking = evaluate(train, None, users(("ab", "dc"), ("e", "f")), 6, NeighboursSettings(), "map")
    assert summary.settings == NeighboursSettings().model_dump()
    assert ranking.ranks.tolist() == [[1, 2], [1, 0]]


def test_parameters_are_the_best_on_the_valid_split():
    train = histories("abcd", "abcd", "cabd", "dbca")
    settings = NeighboursSettings()
    summary, _ = evaluate(train, users(("a", "b"), ("b", "d")), users(("a", "b")), 4, settings, "mrr")
    candidates = settings.candidates()
    assert len(summary.valid) == len(candidates)
    assert summary.settings == candidates[summary.valid.index(max(summary.valid))].model_dump()


def test_more_users_than_the_limit_skip_the_baseline_with_a_note():
    settings = NeighboursSettings(max_users=1)
    choice, ranking = evaluate(histories("abc", "b"), None, users(("a", "b")), 3, settings, "map")
    assert ranking is None
    assert choice.note == "skipped: 2 users, more than neighbours.max_users=1"


def test_memory_limit_skips_the_baseline_with_a_note():
    settings = NeighboursSettings(max_memory_gb=1e-9)
    summary, ranking = evaluate(histories("abc"), None, users(("a", "b")), 3, settings, "map")
    assert ranking is None
    assert "neighbours.max_memory_gb" in summary.note
    assert bytes_needed(sequences([[0, 1], [2]])) == 72
