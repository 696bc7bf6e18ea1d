"""The approximate index: the same answers as scoring everything, for any request, if all lists are searched."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.export.index_search import Index
from components.export.inverted_index import InvertedIndex
from components.export.saved_model import save_model
from components.export.servable import ServableCaser
from components.features import FIRST_ID
from components.model.caser import Caser
from components.model.settings import ModelSettings
from components.ranking.recommendable import Recommendable
from components.sequential_rules.scorer import Rules, RuleScorer
from components.sequential_rules.tables import RuleTables
from components.transform.vocabulary import Vocabulary

N_ITEMS, N_USERS, L, K = 60, 3, 3, 10
item = st.integers(0, N_ITEMS - 1)


def rules():
    """Every item is followed by two others."""
    rng = np.random.default_rng(3)
    follower = np.sort(rng.integers(0, N_ITEMS, [N_ITEMS, 2]), axis=1).astype(np.int32).ravel()
    weight = rng.random(2 * N_ITEMS).astype(np.float32)
    return Rules(RuleScorer(RuleTables(np.arange(0, 2 * N_ITEMS + 1, 2), follower, weight, 4, 0.5)), 1.5)


KINDS = {
    "tied, rules": (True, True, None),
    "untied": (False, False, None),
    "blocklist": (True, True, np.arange(0, 40, 3) + FIRST_ID),
}


@pytest.fixture(scope="module", params=KINDS)
def servable(request, tmp_path_factory):
    return make(tmp_path_factory.mktemp("index"), *KINDS[request.param])


def make(folder, tied, has_rules, blocked=None):
    """A model with random weights and an index of which all lists are searched."""
    vocabularies = []
    for name, size in (("items", N_ITEMS), ("users", N_USERS)):
        (folder / name).write_text("".join(f"{name[0]}{n}\n" for n in range(size)))
        vocabularies.append(Vocabulary(str(folder / name), size))
    keras.utils.set_random_seed(1)
    model = Caser(N_USERS, N_ITEMS, L, ModelSettings(d=4, tied_embeddings=tied))
    model((np.array([2]), np.zeros([1, L], int)))
    for weight in model.weights:
        weight.assign(np.random.default_rng(2).normal(size=weight.shape))
    lists = InvertedIndex.build(model, np.random.default_rng(4).normal(size=[50, 8]), seed=1)
    index = Index(lists, lists.lists, 1.0)
    some = rules() if has_rules else None
    recommendable = Recommendable(blocked=blocked)
    return ServableCaser(model, *vocabularies, K, "softmax", some, index, recommendable)


def ragged(rows):
    return tf.ragged.constant(
        [[item + FIRST_ID for item in row] for row in rows], tf.int64, ragged_rank=1, row_splits_dtype=tf.int64
    )


requests = st.lists(
    st.tuples(st.sampled_from(["u0", "u2", "stranger"]), st.lists(item, max_size=8), st.lists(item, max_size=56)),
    min_size=1,
    max_size=4,
)


@settings(deadline=None, max_examples=15)
@given(requests)
def test_search_of_all_lists_gives_the_exact_answer(servable, users):
    user_ids, histories, excluded = zip(*users, strict=True)
    arguments = (
        tf.constant(user_ids),
        ragged(histories),
        ragged([h + e for h, e in zip(histories, excluded, strict=True)]),
    )
    exact_ids, exact_scores = servable.best_of_all(*arguments)
    ids, scores = servable.best_of_index(*arguments)
    np.testing.assert_allclose(scores, exact_scores, rtol=1e-4, atol=1e-5)
    # Items with equal scores may change places.
    same = np.isclose(scores, exact_scores, rtol=0, atol=0) & (np.diff(exact_scores, prepend=np.inf, axis=1) < -1e-4)
    np.testing.assert_array_equal(np.where(same, ids, 0), np.where(same, exact_ids, 0))


@settings(deadline=None, max_examples=15)
@given(requests, st.integers(1, 3))
def test_search_of_few_lists_recommends_distinct_unseen_items_with_exact_scores(servable, users, probes):
    user_ids, histories, excluded = zip(*users, strict=True)
    seen = [h + e for h, e in zip(histories, excluded, strict=True)]
    arguments = tf.constant(user_ids), ragged(histories), ragged(seen)
    few = servable.with_parts(servable.rules, servable.index._replace(probes=probes))
    ids, scores = few.best_of_index(*arguments)
    blocked = servable.recommendable.blocked
    never = set() if blocked is None else {id_ - FIRST_ID for id_ in blocked.tolist()}
    every = servable.scores(tf.constant(user_ids), ragged(histories)).numpy()
    for row, best, values, forbidden in zip(every, ids.numpy(), scores.numpy(), seen, strict=True):
        real, out = best[best >= FIRST_ID], never | set(forbidden)
        assert len(real) == min(K, N_ITEMS - len(out)) == len(set(real))
        assert not {column + FIRST_ID for column in out} & set(real)
        np.testing.assert_allclose(values[: len(real)], row[real - FIRST_ID], rtol=1e-4, atol=1e-5)
        assert (np.diff(values) <= 0).all()


def test_every_item_is_in_one_list(servable):
    lists = servable.index.lists
    user = lists.project(tf.ones([1, 8]))[0]
    parts = [lists.candidates(user, tf.constant([number]), N_ITEMS).numpy().tolist() for number in range(lists.lists)]
    assert sorted(column for part in parts for column in part) == list(range(N_ITEMS))


def test_exported_index_serves_in_the_same_signature(tmp_path):
    servable = make(tmp_path, tied=True, has_rules=True)
    save_model(servable, str(tmp_path / "model"))
    served = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    outputs = served(
        user_id=tf.constant(["u1"]),
        recent_item_ids=tf.constant([["i3", "i7"]]),
        exclude_item_ids=tf.constant([["i9", ""]]),
    )
    expected = servable.best_of_all(tf.constant(["u1"]), ragged([[3, 7]]), ragged([[3, 7, 9]]))[1]
    np.testing.assert_allclose(outputs["scores"], expected, rtol=1e-4, atol=1e-5)
