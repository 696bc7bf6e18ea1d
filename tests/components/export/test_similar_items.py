"""Similar items by the formula written out, and following items by the rules, through the exported signature."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.export.saved_model import save_model
from components.export.servable import ServableCaser
from components.features import FIRST_ID
from components.model.caser import Caser
from components.model.settings import ModelSettings
from components.ranking.recommendable import UNSEEN, Recommendable
from components.sequential_rules.scorer import Rules, RuleScorer
from components.sequential_rules.tables import RuleTables
from components.transform.vocabulary import Vocabulary

ITEMS, K = [f"i{n}" for n in range(7)], 4
# i0 is followed by i5 and i6, i1 by i6.
TABLES = RuleTables(
    np.array([0, 2, 3, *[3] * 5]), np.array([5, 6, 6], np.int32), np.array([3, 1, 2], np.float32), 5, 1.0
)


def cosines(table):
    table = table / np.linalg.norm(table, axis=1, keepdims=True)
    return table @ table.T


@pytest.fixture(scope="module", params=[(True, False), (False, False), (True, True)], ids=str)
def exported(request, tmp_path_factory):
    """The signature and the model."""
    return export(tmp_path_factory.mktemp("similar"), *request.param)


def export(folder, tied, normalized, recommendable=UNSEEN):
    for name, tokens in (("items", ITEMS), ("users", ["u"])):
        (folder / name).write_text("".join(token + "\n" for token in tokens))
    keras.utils.set_random_seed(3)
    model = Caser(1, len(ITEMS), 3, ModelSettings(d=4, tied_embeddings=tied, normalize=normalized))
    model((np.array([2]), np.zeros([1, 3], int)))
    for weight in model.weights:
        weight.assign(np.random.default_rng(2).normal(size=weight.shape))
    vocabularies = (Vocabulary(str(folder / "items"), len(ITEMS)), Vocabulary(str(folder / "users"), 1))
    rules = Rules(RuleScorer(TABLES), 1.0) if tied else None
    servable = ServableCaser(model, *vocabularies, k=K, loss="softmax", rules=rules, recommendable=recommendable)
    save_model(servable, str(folder / "model"))
    loaded = tf.saved_model.load(str(folder / "model"))
    return loaded, model, rules


def ask(exported, *items):
    outputs = exported[0].signatures["similar_items"](item_id=tf.constant(items))
    return {name: output.numpy() for name, output in outputs.items()}


def test_similarity_is_the_mean_of_two_cosines(exported):
    _, model, _ = exported
    expected = (cosines(model.item_embedding.embeddings.numpy()[2:]) + cosines(model.output_embedding.numpy())) / 2
    answer = ask(exported, *ITEMS)
    for row, (items, scores) in enumerate(zip(answer["item_ids"], answer["scores"], strict=True)):
        best = [other for other in np.argsort(-expected[row]) if other != row][:K]
        assert [item.decode() for item in items] == [ITEMS[other] for other in best]
        np.testing.assert_allclose(scores, expected[row][best], rtol=1e-4, atol=1e-5)


def test_following_items_are_those_of_the_strongest_rules(exported):
    answer = ask(exported, "i0", "i2", "i1")
    expected = [[b"i5", b"i6", b"", b""], [b""] * K, [b"i6", b"", b"", b""]]
    weights = [[3, 1, 0, 0], [0] * K, [2, 0, 0, 0]]
    if exported[2] is None:
        expected, weights = [[b""] * K] * 3, [[0] * K] * 3
    assert answer["following_item_ids"].tolist() == expected
    assert answer["following_scores"].tolist() == weights


def test_unknown_item_has_no_similar_items_and_affects_no_other(exported):
    answer = ask(exported, "stranger", "i1")
    assert answer["item_ids"][0].tolist() == [b""] * K
    assert answer["scores"][0].tolist() == [0] * K
    assert answer["following_item_ids"][0].tolist() == [b""] * K
    np.testing.assert_array_equal(answer["item_ids"][1], ask(exported, "i1")["item_ids"][0])


def test_blocked_items_are_neither_similar_nor_following(tmp_path):
    blocked = Recommendable(blocked=np.array([5, 1]) + FIRST_ID)
    answer = ask(export(tmp_path, True, False, blocked), "i0", "i5")
    assert answer["following_item_ids"].astype(str).tolist() == [["i6", "", "", ""], [""] * 4]
    assert answer["following_scores"][0].tolist() == [1, 0, 0, 0]
    similar = answer["item_ids"].astype(str).tolist()
    assert set(similar[0]) == {"i2", "i3", "i4", "i6"}
    assert not {"i1", "i5", ""} & set(similar[1])
