"""What the exported graph guarantees for any request."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.export.servable import ServableCaser
from components.model.caser import Caser
from components.model.settings import ModelSettings
from components.transform.vocabulary import Vocabulary

ITEMS = [f"i{n}" for n in range(12)]
USERS = ["ann", "bob"]
L, K = 3, 8
LOWEST = np.finfo(np.float32).min

item = st.sampled_from([*ITEMS, "", "what", "🚫"])
rows = st.tuples(
    st.sampled_from([*USERS, "", "stranger"]), st.lists(item, max_size=9), st.lists(st.sampled_from(ITEMS), max_size=14)
)


def export(folder, output_bias=None):
    """A model with random weights; returns its `serving_default`."""
    for name, tokens in (("items", ITEMS), ("users", USERS)):
        (folder / name).write_text("".join(token + "\n" for token in tokens))
    keras.utils.set_random_seed(1)
    model = Caser(len(USERS), len(ITEMS), L, ModelSettings(d=4))
    model((np.array([2]), np.zeros([1, L], int)))
    for weight in model.weights:
        weight.assign(np.random.default_rng(2).normal(size=weight.shape))
    if output_bias is not None:
        model.output_bias.assign(output_bias)
    vocabularies = (
        Vocabulary(str(folder / name), len(tokens)) for name, tokens in (("items", ITEMS), ("users", USERS))
    )
    ServableCaser(model, *vocabularies, k=K, loss="softmax").save(str(folder / "model"))
    return tf.saved_model.load(str(folder / "model"))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return export(tmp_path_factory.mktemp("sound"))


@pytest.fixture(scope="module")
def broken_model(tmp_path_factory):
    """Its scores are not all numbers: training never leaves such a model, but a server would have to answer."""
    strange = [np.nan, np.inf, -np.inf, 3e38, -3e38]
    return export(tmp_path_factory.mktemp("broken"), strange + [0.0] * (len(ITEMS) - len(strange)))


def padded(lists, side="right"):
    width = max(map(len, lists))
    fill = [[""] * (width - len(texts)) for texts in lists]
    full = [[*texts, *rest] if side == "right" else [*rest, *texts] for texts, rest in zip(lists, fill, strict=True)]
    return tf.constant(full, tf.string, shape=(len(lists), width))


def ask(model, batch, side="right"):
    users, histories, excluded = zip(*batch, strict=True)
    answer = model.signatures["serving_default"](
        user_id=tf.constant(users), recent_item_ids=padded(histories, side), exclude_item_ids=padded(excluded)
    )
    return answer["item_ids"].numpy().astype(str).tolist(), answer["scores"].numpy()


@pytest.mark.parametrize("which", ["model", "broken_model"])
def test_recommendations_keep_their_contract_for_any_request(which, request):
    model = request.getfixturevalue(which)

    @settings(max_examples=40, deadline=None)
    @given(st.lists(rows, min_size=1, max_size=4))
    def check(batch):
        items, scores = ask(model, batch)
        assert np.isfinite(scores).all()
        assert (scores[:, :-1] >= scores[:, 1:]).all()
        for (_, history, excluded), answer in zip(batch, items, strict=True):
            given_items = [item for item in answer if item]
            assert len(set(given_items)) == len(given_items)
            assert not set(given_items) & {*history, *excluded}
            # All that is left, as far as there is room, and nothing behind a gap.
            assert len(given_items) == min(K, len({*ITEMS} - {*history, *excluded}))
            assert answer == given_items + [""] * (K - len(given_items))

    check()


def test_row_of_a_batch_equals_a_single_request(model):
    @settings(max_examples=40, deadline=None)
    @given(st.lists(rows, min_size=2, max_size=4), st.sampled_from(["left", "right"]))
    def check(batch, side):
        items, scores = ask(model, batch, side)
        for row, answer, values in zip(batch, items, scores, strict=True):
            (alone,), (own,) = ask(model, [row])
            np.testing.assert_allclose(values, own, rtol=1e-4, atol=1e-5)
            assert answer == alone

    check()


@pytest.mark.parametrize("width", [0, 1, L - 1, L, L + 1, 5 * L])
def test_history_of_any_width_is_accepted(model, width):
    history = [ITEMS[n % 4] for n in range(width)]
    (items,), (scores,) = ask(model, [("ann", history, ITEMS[:4])])
    (expected,), (expected_scores,) = ask(model, [("ann", history[-L:], ITEMS[:4])])
    assert items == expected
    np.testing.assert_allclose(scores, expected_scores, rtol=1e-5)


def test_unknown_items_do_not_displace_known_ones_from_the_window(model):
    assert (
        ask(model, [("ann", ["i1", "what", "i2", "", "what", "i3"], [])])[0]
        == ask(model, [("ann", ["i1", "i2", "i3"], [])])[0]
    )


def test_user_who_has_seen_everything_gets_no_items(model):
    (items,), (scores,) = ask(model, [("ann", ITEMS, [])])
    assert items == [""] * K
    assert (scores == LOWEST).all()
