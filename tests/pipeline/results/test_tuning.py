"""What is written after a hyperparameter search."""

import csv

import pytest
import yaml

from pipeline.config.config import Config, load_config
from pipeline.results.html_report import write_tuning_report
from pipeline.results.tuning import Trial, Tuning, best_yaml, tuned_config, write_trials
from tests.pipeline.results.test_html_report import Checker

FIRST = {"model.d": 100, "model.normalize": False, "trainer.learning_rate": 0.004}


@pytest.fixture
def tuning():
    return Tuning(
        [
            Trial(1, 0.25, FIRST),
            Trial(2, 0.31, {**FIRST, "model.d": 50, "trainer.learning_rate": 0.008}),
            Trial(4, 0.31, {**FIRST, "model.normalize": True}),
        ]
    )


def test_best_settings_are_a_configuration_that_trains_as_the_best_trial(tuning, tmp_path):
    config = load_config("sample", overrides=["tuner.enabled=true", "tuner.trials=4", "seed=7", "data.comment='#'"])
    file = tmp_path / "best.yaml"
    file.write_text(best_yaml(config, tuning, "MAP"))
    loaded = load_config(file=file)
    assert loaded.model_copy(update={"tuner": None}) == tuned_config(config, tuning).model_copy(update={"tuner": None})
    assert (loaded.model.d, loaded.trainer.learning_rate, loaded.trainer.auto) == (50, 0.008, False)
    assert (loaded.seed, loaded.split.strategy, loaded.data.comment) == (7, "leave_last", "#")
    assert not loaded.tuner.enabled
    first = file.read_text().splitlines()[0]
    assert first == "# MAP 0.3100 on valid in trial 2, the best of 3; 0.2500 with the settings before."


def test_best_settings_hold_only_what_is_not_default(tuning):
    assert yaml.safe_load(best_yaml(Config(), tuning, "MAP")) == {
        "model": {"d": 50, "normalize": False},
        "trainer": {"auto": False, "learning_rate": 0.008},
    }


def test_settings_before_are_not_told_if_their_trial_failed(tuning):
    assert Tuning(tuning.trials[1:]).describe("MAP") == "MAP 0.3100 on valid in trial 2, the best of 2."


def test_trials_are_a_table_with_a_column_per_setting(tuning, tmp_path):
    write_trials(tuning, "map", tmp_path / "trials.csv")
    rows = list(csv.DictReader((tmp_path / "trials.csv").open()))
    assert rows[1] == {
        "trial": "2", "valid_map": "0.31", "model.d": "50", "model.normalize": "False", "trainer.learning_rate": "0.008"
    }  # fmt: skip


def test_changes_of_a_trial_are_those_against_the_first_one(tuning):
    assert tuning.changes(tuning.trials[1]) == {"model.d": 50, "trainer.learning_rate": 0.008}
    assert tuning.changes(tuning.trials[0]) == {}


def test_report_shows_all_trials_and_marks_the_best(tuning, tmp_path):
    file = tmp_path / "report.html"
    write_tuning_report(tuning, Config(), "plays <1>.csv", "model: {d: 50}\n", file)
    page = Checker()
    page.feed(file.read_text())
    assert not page.open
    assert not page.fetched
    for part in ("plays <1>.csv", "trial 2: 0.3100", "0.3100", "trainer.learning_rate", "model: {d: 50}"):
        assert part in page.text, part


def test_best_settings_override_a_preset_with_a_default(tuning, tmp_path):
    config = load_config("sample", overrides=["trainer.weight_decay=0.5"])
    trials = [trial._replace(parameters={**trial.parameters, "trainer.weight_decay": 0.2}) for trial in tuning.trials]
    file = tmp_path / "best.yaml"
    file.write_text(best_yaml(config, Tuning(trials), "MAP"))
    assert load_config("sample", file).trainer.weight_decay == 0.2
