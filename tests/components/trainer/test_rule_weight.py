"""The weight of the rules in what is served."""

import numpy as np
import pytest
import tensorflow as tf

from components.export.servable import ServableCaser
from components.features import FIRST_ID
from components.model.caser import Caser
from components.model.settings import ModelSettings
from components.ranking.evaluation import HeldOutUsers
from components.sequential_rules.scorer import RuleScorer
from components.sequential_rules.tables import RuleTables
from components.trainer.rule_weight import DEFAULT_WEIGHT, choose_rules
from components.transform.vocabulary import Vocabulary

N_ITEMS = 6


@pytest.fixture(scope="module")
def servable(tmp_path_factory):
    """Everybody gets the items in descending order of their number."""
    folder, vocabularies = tmp_path_factory.mktemp("vocabularies"), []
    for name, size in (("items", N_ITEMS), ("users", 2)):
        (folder / name).write_text("".join(f"{name[0]}{n}\n" for n in range(size)))
        vocabularies.append(Vocabulary(str(folder / name), size))
    model = Caser(2, N_ITEMS, 3, ModelSettings(d=2, tied_embeddings=False))
    model((np.array([2]), np.zeros([1, 3], int)))
    model.output_embedding.assign(np.zeros(model.output_embedding.shape))
    model.output_bias.assign(np.arange(N_ITEMS))
    return ServableCaser(model, *vocabularies, k=3, loss="softmax")


def rules(follower):
    """Each item is always followed by the same one."""
    arrays = np.arange(N_ITEMS + 1), np.full(N_ITEMS, follower, np.int32), np.ones(N_ITEMS, np.float32)
    return RuleScorer(RuleTables(*arrays, 1, 0.0))


def valid(held_out, users=5):
    ids = tf.RaggedTensor.from_tensor(tf.constant([[FIRST_ID]] * users, tf.int64), row_splits_dtype=tf.int64)
    return HeldOutUsers(tf.constant(["u0"] * users), ids, tf.zeros_like(ids) + held_out + FIRST_ID)


def test_rules_that_find_the_held_out_item_get_a_weight(servable):
    chosen = choose_rules(servable, rules(1), "auto", valid(1), "mrr")
    # Item 1 is four below the best score; the evidence is log(1 + 1 / 1e-5), that is 11.5.
    assert chosen.weight == 0.5


def test_useless_rules_are_left_out(servable):
    assert choose_rules(servable, rules(1), "auto", valid(N_ITEMS - 1), "mrr") is None


@pytest.mark.parametrize(("weight", "expected"), [("auto", DEFAULT_WEIGHT), (2.5, 2.5), ("none", None), (0, None)])
def test_weight_without_a_valid_split_is_stated(servable, weight, expected):
    chosen = choose_rules(servable, rules(1), weight, None, "mrr")
    assert (chosen.weight if chosen else None) == expected


def test_configured_weight_is_not_changed_by_the_valid_split(servable):
    assert choose_rules(servable, rules(1), 0.25, valid(1), "mrr").weight == 0.25
