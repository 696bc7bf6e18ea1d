"""Warm start: the weights of an exported model in a model with other vocabularies."""

import json

import numpy as np
import pytest

from components.export.model_info import MODEL_INFO_FILE
from components.export.saved_model import save_model
from components.export.servable import ServableCaser
from components.features import FIRST_ID
from components.model.caser import Caser
from components.model.settings import ModelSettings
from components.trainer.base_model import BaseModel
from components.trainer.plan import TrainingPlan
from components.transform.vocabulary import Vocabulary

L = 3
PLAN = TrainingPlan(False, False, 64, 4, 0.004, 2)
SETTINGS = ModelSettings(d=4, heights=[1, 2], horizontal_filters=2, vertical_filters=1)
OLD_ITEMS, NEW_ITEMS = ["a", "b", "gone"], ["new", "b", "a"]
OLD_USERS, NEW_USERS = ["u", "v"], ["v", "w"]


def vocabulary(folder, name, tokens):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("".join(f"{token}\n" for token in tokens))
    return Vocabulary(str(folder / name), len(tokens))


def exported(folder, **settings):
    """A model with random weights, and what it was before the export."""
    items, users = vocabulary(folder / "old", "items", OLD_ITEMS), vocabulary(folder / "old", "users", OLD_USERS)
    model = Caser(len(OLD_USERS), len(OLD_ITEMS), L, SETTINGS.model_copy(update=settings))
    model.build_weights()
    rng = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape))
    before = [weight.numpy() for weight in model.weights]
    save_model(ServableCaser(model, items, users, k=2, loss="softmax"), str(folder / "model"), PLAN._asdict())
    return BaseModel.read(str(folder / "model")), before, model


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """An exported model without further settings, read only."""
    return exported(tmp_path_factory.mktemp("plain"))[0]


def continued(folder, base, settings=SETTINGS):
    """A new model with the weights of the base model, and its own ones before."""
    items, users = vocabulary(folder / "new", "items", NEW_ITEMS), vocabulary(folder / "new", "users", NEW_USERS)
    model = Caser(len(NEW_USERS), len(NEW_ITEMS), L, base.hyperparameters(settings))
    model.build_weights()
    before = {id(weight): weight.numpy() for weight in model.weights}
    base.mix_weights(model, items, users)
    return model, before, items


def mixed(learned, random):
    """Shrink and perturb."""
    return 0.8 * np.asarray(learned) + 0.2 * np.asarray(random)


@pytest.mark.parametrize("tied", [True, False])
def test_rows_of_known_ids_are_mixed_and_those_of_new_ids_stay(tied, tmp_path):
    base, old, exported_model = exported(tmp_path, tied_embeddings=tied)
    model, before, _ = continued(tmp_path, base, SETTINGS.model_copy(update={"tied_embeddings": tied}))
    old = dict(zip([id(weight) for weight in exported_model.weights], old, strict=True))

    def check(weight, own, rows, new):
        """`rows`: pairs of a row and its row in the base model; `new`: the row of a new ID."""
        for row, other in rows:
            expected = mixed(old[id(own)][other], before[id(weight)][row])
            np.testing.assert_allclose(weight.numpy()[row], expected, rtol=1e-6)
        np.testing.assert_array_equal(weight.numpy()[new], before[id(weight)][new])

    special = [(0, 0), (1, 1)]  # padding and unknown
    items, own_items = model.item_embedding.embeddings, exported_model.item_embedding.embeddings
    check(items, own_items, [*special, (3, 3), (4, 2)], new=2)
    users, own_users = model.user_embedding.embeddings, exported_model.user_embedding.embeddings
    check(users, own_users, [*special, (2, 3)], new=3)
    for name in ("output_embedding", "output_bias"):
        check(getattr(model, name), getattr(exported_model, name), [(1, 1), (2, 0)], new=0)


def test_weights_without_rows_are_all_mixed(tmp_path):
    base, old, exported_model = exported(tmp_path)
    model, before, _ = continued(tmp_path, base)
    tables = [id(table) for table in model.tables]
    compared = 0
    for weight, value in zip(model.weights, old, strict=True):
        if id(weight) not in tables:
            np.testing.assert_allclose(weight.numpy(), mixed(value, before[id(weight)]), rtol=1e-6)
            compared += 1
    assert compared == len(exported_model.weights) - len(tables)
    assert compared > 2


def test_normalized_item_embeddings_count_with_the_length_of_new_ones(tmp_path):
    base, old, exported_model = exported(tmp_path, normalize=True)
    model, before, _ = continued(tmp_path, base, SETTINGS.model_copy(update={"normalize": True}))
    row = model.item_embedding.embeddings.numpy()[4]  # a
    own = old[[id(weight) for weight in exported_model.weights].index(id(exported_model.item_embedding.embeddings))][2]
    fresh = before[id(model.item_embedding.embeddings)]
    length = np.linalg.norm(fresh[FIRST_ID:], axis=1).mean()
    np.testing.assert_allclose(row, mixed(length * own / np.linalg.norm(own), fresh[4]), rtol=1e-5)


def test_base_model_says_how_much_of_the_catalogue_it_knows(plain, tmp_path):
    _, _, items = continued(tmp_path, plain)
    assert "knows 2 of 3 items" in plain.describe(items)


@pytest.mark.parametrize(
    ("settings", "length", "expected"),
    [
        (SETTINGS, L, None),
        # Unset: as the base model is, although the default dimension is another one.
        (SETTINGS.model_copy(update={"d": None, "heights": None}), L, None),
        (SETTINGS.model_copy(update={"dropout": 0.1, "user_dropout": 0.2}), L, None),
        (SETTINGS.model_copy(update={"d": 8}), L, "its d is 4, and the configuration says 8"),
        (SETTINGS, 5, "its L is 3, and the configuration says 5"),
        (SETTINGS.model_copy(update={"normalize": True}), L, "its normalize is False, and the configuration says True"),
        (SETTINGS.model_copy(update={"dense_activation": "tanh"}), L, "its dense_activation is relu"),
    ],
)
def test_only_another_architecture_prevents_a_warm_start(settings, length, expected, plain):
    reason = plain.mismatch(settings, length)
    assert reason == expected or (reason and expected and reason.startswith(expected))


def test_model_of_an_older_version_is_no_base_model(tmp_path):
    base, _, _ = exported(tmp_path)
    file = tmp_path / "model" / MODEL_INFO_FILE
    file.write_text(json.dumps({key: value for key, value in base.info.items() if key not in ("model", "training")}))
    assert "exported by a version without" in BaseModel.read(str(tmp_path / "model")).mismatch(SETTINGS, L)


def test_plan_of_the_base_model_is_read_from_its_model_info(plain):
    assert plain.plan == PLAN


@pytest.mark.parametrize(("epochs", "configured", "expected"), [(4, None, 1), (8, None, 2), (1, None, 1), (4, 3, 3)])
def test_warm_start_takes_a_quarter_of_the_epochs_unless_configured(epochs, configured, expected):
    warm = PLAN._replace(epochs=epochs).warm(configured)
    assert (warm.epochs, warm.warm_start) == (expected, True)
    assert warm.learning_rate == PLAN.learning_rate
