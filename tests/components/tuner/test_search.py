"""Which values are tried, and what becomes of a search that was stopped."""

import pytest

from components.errors import UserError
from components.trainer import progress
from components.tuner.search import Search

SPACE = {"model.d": [8, 16, 32, 64], "model.normalize": [False, True], "trainer.learning_rate": [0.001, 0.004, 0.01]}
CONFIGURED = {"model.d": 16, "model.normalize": True, "trainer.learning_rate": 0.004, "windows.L": 5}


class Trainings:
    """A metric with its maximum at d=32, without normalization, with the highest learning rate."""

    def __init__(self, failing=()):
        self.values, self.failing = [], dict(failing)

    def __call__(self, hyperparameters):
        values = hyperparameters["values"]
        self.values.append(values)
        if error := self.failing.get(len(self.values)):
            raise error
        return -abs(values["model.d"] - 32) / 32 - values["model.normalize"] + 10 * values["trainer.learning_rate"]


def search(folder, trainings, trials=6, first=(CONFIGURED,), space=SPACE, seed=1):
    made = Search(space, first, "map", trials, seed, str(folder / "search"), trainings)
    made.search(verbose=0)
    return made


def best(made):
    (values,) = made.get_best_hyperparameters()
    return values.values


@pytest.mark.parametrize("others", [0, 1])
def test_search_begins_with_the_configured_values(others, tmp_path):
    trainings = Trainings()
    first = [CONFIGURED, {**CONFIGURED, "model.d": 64}][: 1 + others]
    search(tmp_path, trainings, first=first)
    for values, expected in zip(trainings.values, first, strict=False):
        assert values == {name: expected[name] for name in SPACE}


def test_values_are_those_of_the_space_with_their_types(tmp_path):
    trainings = Trainings()
    search(tmp_path, trainings, trials=9)
    assert len({tuple(values.items()) for values in trainings.values}) == len(trainings.values) == 9
    for values in trainings.values:
        assert values.keys() == SPACE.keys()
        assert all(value in SPACE[name] and type(value) is type(SPACE[name][0]) for name, value in values.items())


def test_a_parameter_with_one_value_is_never_changed(tmp_path):
    trainings = Trainings()
    search(tmp_path, trainings, space={**SPACE, "model.normalize": [True]})
    assert {values["model.normalize"] for values in trainings.values} == {True}


def test_search_ends_when_nothing_is_left_to_try(tmp_path):
    trainings, space = Trainings(), {**SPACE, "trainer.learning_rate": [0.004]}
    made = search(tmp_path, trainings, trials=12, space=space)
    assert len(trainings.values) == 8
    assert best(made) == {"model.d": 32, "model.normalize": False, "trainer.learning_rate": 0.004}


def test_searches_with_the_same_seed_are_equal(tmp_path):
    one, other = Trainings(), Trainings()
    search(tmp_path / "one", one, trials=7)
    search(tmp_path / "other", other, trials=7)
    assert one.values == other.values


def test_stopped_search_goes_on_with_the_trial_that_was_running(tmp_path):
    stopped, rest = Trainings({3: KeyboardInterrupt()}), Trainings()
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path, stopped)
    made = search(tmp_path, rest)
    assert rest.values[0] == stopped.values[2]
    assert len(rest.values) == 4
    assert sum(trial.score is not None for trial in made.oracle.trials.values()) == 6


def test_finished_search_goes_on_with_more_trials(tmp_path):
    search(tmp_path, Trainings(), trials=3)
    more = Trainings()
    search(tmp_path, more, trials=5)
    assert len(more.values) == 2
    search(tmp_path, nothing := Trainings(), trials=5)
    assert nothing.values == []


def test_values_that_cannot_be_trained_do_not_stop_the_search(tmp_path):
    trainings = Trainings({3: UserError("The loss is not finite.")})
    made = search(tmp_path, trainings)
    assert len(trainings.values) == 6
    assert [trial.score is None for trial in made.oracle.trials.values()].count(True) == 1
    assert best(made) != trainings.values[2]


@pytest.mark.parametrize(
    ("number", "error"), [(1, UserError("There is no space left.")), (3, ZeroDivisionError("a mistake"))]
)
def test_failure_that_is_not_due_to_the_values_stops_the_search(number, error, tmp_path):
    with pytest.raises(Exception, match="failed") as raised:
        search(tmp_path, Trainings({number: error}))
    assert raised.value.__cause__ is error


def test_damaged_folder_is_one_message(tmp_path):
    search(tmp_path, Trainings(), trials=2)
    (tmp_path / "search" / "oracle.json").write_text('{"ongoing')
    with pytest.raises(UserError, match=r"search cannot be read: .* Hint: remove this directory"):
        search(tmp_path, Trainings())


def test_progress_names_the_trial_and_the_best_value_so_far(tmp_path):
    seen = []

    def evaluate(hyperparameters):
        with progress.progress_callback(lambda *values: seen.append(values[-1])):
            progress.report(1, 1, 1, 1, {})
        return 0.25

    search(tmp_path, evaluate, trials=2)
    assert seen == ["trial 1 of 2, ", "trial 2 of 2, best 0.2500, "]
