import keras
import numpy as np
import pytest

from components.errors import UserError
from components.features import FIRST_ID
from components.model.caser import Caser
from components.model.settings import ModelSettings
from components.model.window_settings import WindowSettings
from components.trainer.fit import fit, learning_rates
from components.trainer.plan import plan_for
from components.trainer.settings import TrainerSettings
from components.trainer.windows import Windows
from components.transform.histories import EncodedHistories

USERS, ITEMS, L = 40, 12, 3


def planted(follow, seed=0, length=30):
    """Windows of a chain in which item i is followed by i + 5 with probability `follow`, else by any; and the rest."""
    rng = np.random.default_rng(seed)
    histories = rng.integers(0, ITEMS, [USERS, length])
    for t in range(1, length):
        histories[:, t] = np.where(rng.random(USERS) < follow, (histories[:, t - 1] + 5) % ITEMS, histories[:, t])
    encoded = EncodedHistories.of(np.arange(USERS) + FIRST_ID, histories.ravel() + FIRST_ID, np.full(USERS, length))
    return Windows(encoded, WindowSettings(L=L, T=1, partial_sequences=False, partial_targets=False))


def trained(windows, seed=1, validate=None, last_epoch=None, **settings):
    keras.utils.set_random_seed(seed)
    small = ModelSettings(
        d=16, horizontal_filters=8, vertical_filters=2, dropout=0.1, embedding_dropout=0.1, user_dropout=0.1
    )
    model = Caser(USERS, ITEMS, L, small)
    # Everybody takes every item here, again and again, so all must compete.
    plain = {"epochs": 4, "batch_size": 128, "learning_rate": 0.01, "exclude_from_negatives": "none"}
    trainer = TrainerSettings(**{**plain, **settings})
    plan = plan_for(trainer, windows, ITEMS)._replace(last_epoch=last_epoch)
    history = fit(model, windows, trainer, seed, validate and (lambda: validate(model)), plan)
    return model, history


def share_of_best(model, windows):
    """How often the best scored item is the one that came next."""
    every = windows.at(np.arange(len(windows)))
    scores = np.asarray(model.score_all(model((every.user, every.sequence))))
    return np.mean(scores.argmax(axis=1) == every.targets[:, 0] - FIRST_ID)


def test_model_trained_in_mixed_precision_is_as_good_and_in_float32():
    windows = planted(0.8)
    curves, models = {}, {}
    for policy in ("float32", "mixed_bfloat16"):
        seen = []
        models[policy], history = trained(
            windows,
            validate=lambda m, seen=seen: seen.append(m) or {"map": share_of_best(m, windows)},
            dtype_policy=policy,
        )
        curves[policy] = [[row["loss"], row["map"]] for row in history]
        # Validated is the model that is exported, not the one that computes in bfloat16.
        assert all(m is models[policy] for m in seen)
        assert models[policy].compute_dtype == "float32"
    assert curves["mixed_bfloat16"] != curves["float32"]
    np.testing.assert_allclose(curves["mixed_bfloat16"], curves["float32"], rtol=0.03)
    # By chance it is 1 / ITEMS.
    assert share_of_best(models["mixed_bfloat16"], windows) == curves["mixed_bfloat16"][-1][1] > 6 / ITEMS


def test_fits_with_the_same_seed_are_equal():
    windows = planted(0.8)
    fits = [trained(windows, validate=lambda m: {"map": share_of_best(m, windows)}) for _ in range(2)]
    for first, second in zip(*(model.get_weights() for model, _ in fits), strict=True):
        np.testing.assert_array_equal(first, second)
    first, second = (
        [{k: v for k, v in row.items() if k not in ("seconds", "peak_memory_gb")} for row in history]
        for _, history in fits
    )
    assert first == second


def test_fit_learns_a_planted_chain():
    model, _ = trained(planted(0.9), epochs=20)
    assert share_of_best(model, planted(0.9, seed=5)) > 0.85  # of 0.908 that anybody can reach


def test_fit_does_not_learn_noise():
    model, _ = trained(planted(0.0), epochs=8)
    new = planted(0.0, seed=5)
    chance = 1 / ITEMS
    assert abs(share_of_best(model, new) - chance) < 4 * np.sqrt(chance * (1 - chance) / len(new))


@pytest.mark.parametrize("loss", ["softmax", "sampled_softmax"])
def test_fit_excludes_past_interactions_from_negatives(loss):
    losses = {
        exclude_from_negatives: trained(
            planted(0.9), epochs=1, loss=loss, exclude_from_negatives=exclude_from_negatives
        )[1][0]["loss"]
        for exclude_from_negatives in ("past_and_future", "past", "none")
    }
    # Users have interacted with nearly all items after a third of the history, and with all at its end.
    assert losses["past_and_future"] == pytest.approx(0, abs=1e-6)  # where the target is all there is, but for rounding
    assert 0 < losses["past"] < losses["none"] / 2


def test_fit_restores_the_best_epoch_after_patience():
    seen = []

    def validate(model):
        seen.append(model.get_weights())
        return {"map": [0.1, 0.3, 0.2, 0.25, 0.9][len(seen) - 1]}

    model, history = trained(planted(0.8), epochs=5, patience=2, validate=validate)
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
    assert [row["map"] for row in history] == [0.1, 0.3, 0.2, 0.25]
    for kept, best in zip(model.get_weights(), seen[1], strict=True):
        np.testing.assert_array_equal(kept, best)


def test_fit_that_ends_with_the_last_epoch_of_its_plan_has_the_weights_of_that_epoch():
    weights = []
    windows = planted(0.8)
    trained(windows, validate=lambda model: weights.append(model.get_weights()) or {"map": len(weights)})
    model, history = trained(windows, last_epoch=2)
    assert [row["epoch"] for row in history] == [1, 2]
    for kept, then in zip(model.get_weights(), weights[1], strict=True):
        np.testing.assert_array_equal(kept, then)


def test_learning_rate_has_warm_up_then_cosine_decay():
    actual = [float(learning_rates(0.5, 1000)(step)) for step in (0, 15, 30, 515, 1000)]
    np.testing.assert_allclose(actual, [0, 0.25, 0.5, 0.25, 0], atol=1e-6)


def test_diverged_training_is_an_error_with_a_hint():
    with pytest.raises(UserError, match=r"diverged.*learning_rate"):
        trained(planted(0.8), learning_rate=1e30)
