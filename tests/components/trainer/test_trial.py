"""Which defaults a model is trained with."""

import numpy as np
import pytest

from components.model.window_settings import WindowSettings
from components.trainer.settings import TrainerSettings
from components.trainer.training import Trained
from components.trainer.trial import train_with_defaults
from components.trainer.windows import Windows
from components.transform.histories import EncodedHistories


def windows(per_user):
    lengths = np.full(4, per_user + 1)
    return Windows(EncodedHistories.of(np.arange(4), np.ones(lengths.sum()), lengths), WindowSettings())


class Trainings:
    """Stands for training: remembers the defaults it was called with and returns a given curve."""

    def __init__(self, short=0.2, long=0.1, validated=True):
        self.values, self.validated, self.calls = {True: short, False: long}, validated, []

    def __call__(self, short_histories):
        self.calls.append(short_histories)
        metrics = {"map": self.values[short_histories]} if self.validated else {}
        return Trained(None, [{"epoch": 1, "defaults": short_histories, **metrics}], None)


@pytest.mark.parametrize(
    ("per_user", "expected"),
    [(19, [True]), (20, [True, False]), (39, [True, False]), (40, [False, True]), (100, [False])],
)
def test_both_defaults_are_tried_for_middling_histories_only(per_user, expected):
    train = Trainings()
    train_with_defaults(train, windows(per_user), TrainerSettings())
    assert train.calls == expected


@pytest.mark.parametrize(("short", "long", "better"), [(0.2, 0.1, True), (0.1, 0.2, False)])
def test_better_model_by_the_valid_split_is_kept_with_a_note(short, long, better):
    trained = train_with_defaults(Trainings(short, long), windows(30), TrainerSettings())
    (row,), (note,) = trained.history, trained.notes
    assert row["defaults"] is better
    assert f"map {short:.4f} with those for short, map {long:.4f} with those for long histories" in note


@pytest.mark.parametrize("settings", [{"auto": False}, {"auto_minutes": 0}])
def test_length_of_histories_decides_without_a_trial(settings):
    for per_user, expected in ((30, True), (50, False)):
        train = Trainings()
        trained = train_with_defaults(train, windows(per_user), TrainerSettings(**settings))
        assert train.calls == [expected]
        assert trained.notes == []


def test_length_of_histories_decides_without_a_valid_split():
    train = Trainings(validated=False)
    train_with_defaults(train, windows(30), TrainerSettings())
    assert train.calls == [True]
