"""Ranking of users by a scoring function, and the choice between settings."""

import numpy as np
import tensorflow as tf

from components.features import FIRST_ID
from components.ranking.evaluation import HeldOutUsers, Ranking, best_settings, evaluate_users, rank_users
from components.ranking.recommendable import Recommendable

N_ITEMS = 5


def ids(*rows):
    columns = [[item + FIRST_ID for item in row] for row in rows]
    return tf.ragged.constant(columns, dtype=tf.int64, ragged_rank=1, row_splits_dtype=tf.int64)


USERS = HeldOutUsers(tf.constant(["a", "b", "c"]), ids([0], [], [1, 2]), ids([1], [4, 0], [3]))


def by_popularity(users):
    return np.tile(-np.arange(N_ITEMS, dtype=np.float32), [users.users, 1])


def test_seen_items_are_not_ranked():
    (ranking,) = rank_users(by_popularity, USERS, N_ITEMS)
    assert ranking.ranks.tolist() == [[1, 0], [5, 1], [2, 0]]
    assert ranking.top_items[2, :4].tolist() == [0 + FIRST_ID, 3 + FIRST_ID, 4 + FIRST_ID, 0]


def test_seen_items_are_ranked_like_others_where_they_may_be_recommended():
    (ranking,) = rank_users(by_popularity, USERS._replace(recommendable=Recommendable(exclude_seen=False)), N_ITEMS)
    assert ranking.ranks.tolist() == [[2, 0], [5, 1], [4, 0]]
    assert ranking.top_items[2, :5].tolist() == [item + FIRST_ID for item in range(N_ITEMS)]
    assert not USERS._replace(recommendable=Recommendable(exclude_seen=False)).rows(slice(1)).recommendable.exclude_seen


def test_batches_do_not_change_the_ranking(monkeypatch):
    (whole,), metrics = rank_users(by_popularity, USERS, N_ITEMS), evaluate_users(by_popularity, USERS, N_ITEMS)
    monkeypatch.setattr("components.ranking.ranks.MAX_SCORES", N_ITEMS)
    parts = list(rank_users(by_popularity, USERS, N_ITEMS))
    assert len(parts) == 3
    for expected, actual in zip(whole, Ranking.concatenate(parts), strict=True):
        np.testing.assert_array_equal(actual, expected)
    assert evaluate_users(by_popularity, USERS, N_ITEMS) == metrics


def test_first_of_equally_good_settings_is_chosen():
    def scorer(settings):
        return lambda users: settings[0] * by_popularity(users)

    best, values = best_settings([(-1, "rare"), (1, "first"), (1, "second")], scorer, USERS, N_ITEMS, "mrr")
    assert best == (1, "first")
    np.testing.assert_allclose(values[1], (1 + 1 + 1 / 2) / 3)


def test_sample_is_spread_over_the_split():
    assert USERS.sample(2).user_id.numpy().tolist() == [b"a", b"c"]
    assert USERS.sample(3).users == 3
