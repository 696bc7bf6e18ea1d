"""Whether an approximate index is good enough."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.export.servable import ServableCaser
from components.features import FIRST_ID
from components.model.caser import Caser
from components.model.settings import ModelSettings
from components.ranking.evaluation import HeldOutUsers
from components.trainer.index_choice import choose_index, recall_of
from components.transform.vocabulary import Vocabulary

N_ITEMS, GROUPS, L = 4000, 100, 3


def servable(folder, clustered, n_items=N_ITEMS, d=16):
    """Items in groups with nearly the same vectors, or each with a vector of its own."""
    vocabularies = []
    for name, size in (("items", n_items), ("users", 2)):
        (folder / name).write_text("".join(f"{name[0]}{n}\n" for n in range(size)))
        vocabularies.append(Vocabulary(str(folder / name), size))
    keras.utils.set_random_seed(1)
    model = Caser(2, n_items, L, ModelSettings(d=d, tied_embeddings=False))
    model((np.array([2]), np.zeros([1, L], int)))
    rng = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape))
    if clustered:
        centres = rng.normal(size=[GROUPS, 2 * d])[rng.integers(0, GROUPS, n_items)]
        model.output_embedding.assign(centres + 0.01 * rng.normal(size=centres.shape))
        model.output_bias.assign(np.zeros(n_items))
    return ServableCaser(model, *vocabularies, k=4, loss="softmax")


def valid(users=40):
    rng = np.random.default_rng(2)
    history = tf.RaggedTensor.from_tensor(
        tf.constant(rng.integers(0, N_ITEMS if users > 40 else 50, [users, 5]) + FIRST_ID), row_splits_dtype=tf.int64
    )
    return HeldOutUsers(tf.constant(["u0"] * users), history, history[:, :1])


def test_clustered_catalogue_gets_an_index_that_searches_few_lists(tmp_path):
    index, note = choose_index(servable(tmp_path, clustered=True), valid(400), seed=1)
    assert index.recall >= 0.98
    assert index.probes <= index.lists.lists * 0.1
    of = f"{index.recall:.3f} of the exact top 100 of validation users"
    assert note == f"Served by an approximate index, whose recall is {of}."


def test_catalogue_without_structure_is_served_exactly_and_the_note_says_so(tmp_path):
    index, note = choose_index(servable(tmp_path, clustered=False, d=32), valid(400), seed=1)
    assert index is None
    assert note.startswith("No approximate index: its recall is 0.")
    assert note.endswith("below 0.98, so all items are scored for every request.")


def test_recall_is_not_taken_on_trust_without_a_valid_split(tmp_path):
    index, note = choose_index(servable(tmp_path, clustered=True), None, seed=1)
    assert index is None
    assert "no valid split to measure its recall" in note


def test_small_catalogue_is_served_exactly(tmp_path):
    index, note = choose_index(servable(tmp_path, clustered=True, n_items=60), valid(), seed=1)
    assert index is None
    assert "too small" in note


@pytest.mark.parametrize(
    ("found", "expected", "recall"),
    [
        ([[3, 4]], [[4, 3]], 1.0),
        ([[3, 5], [2, 9]], [[3, 4], [2, 9]], 0.75),
        ([[3, 0]], [[3, 0]], 1.0),  # padding is no item
        ([[0, 0]], [[0, 0]], 1.0),
    ],
)
def test_recall_is_the_fraction_of_the_exact_items_that_are_found(found, expected, recall):
    assert recall_of(np.array(found), np.array(expected)) == recall
