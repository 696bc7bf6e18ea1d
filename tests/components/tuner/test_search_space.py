"""Which values are tried for which settings, and what is tried first."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from components.export.settings import ExportSettings
from components.model.settings import ModelSettings
from components.model.window_settings import WindowSettings
from components.ranking.recommendable import UNSEEN
from components.ranking.settings import RecommendSettings
from components.trainer.hyperparameters import with_hyperparameters
from components.trainer.settings import TrainerSettings
from components.trainer.training import Training
from components.trainer.windows import Windows
from components.transform.histories import EncodedHistories
from components.transform.vocabulary import Vocabulary
from components.tuner.search_space import configured_values, search_space
from components.tuner.settings import SEARCH_SPACE, TunerSettings
from components.tuner.tuner_fn import defaults_to_try
from pipeline.config.config import Config


def training(tmp_path, per_user=10, model=None, windows=None, trainer=None):
    file = tmp_path / "items"
    file.write_text("a\nb\n")
    vocabulary = Vocabulary(str(file), 2)
    lengths = np.full(4, per_user + 1)
    window_settings = windows or WindowSettings()
    histories = EncodedHistories.of(np.arange(4), np.ones(lengths.sum()), lengths)
    return Training(
        1,
        window_settings,
        model or ModelSettings(),
        trainer or TrainerSettings(),
        ExportSettings(),
        RecommendSettings(),
        UNSEEN,
        Windows(histories, window_settings),
        vocabulary,
        vocabulary,
    )


def test_every_parameter_is_a_setting_that_takes_each_of_its_values():
    for name, values in SEARCH_SPACE.items():
        section, _, key = name.partition(".")
        for value in values:
            content = Config().model_dump()
            content[section][key] = value
            assert getattr(getattr(Config.model_validate(content), section), key) == value


@pytest.mark.parametrize(
    ("short", "expected"),
    [
        (True, {"model.normalize": True, "model.dense_activation": "identity", "model.user_dropout": 0.95}),
        (False, {"model.normalize": False, "model.dense_activation": "relu", "model.user_dropout": 0.5}),
    ],
)
def test_configured_values_are_the_defaults_of_the_data(short, expected, tmp_path):
    values = configured_values(training(tmp_path), short, 1.0)
    assert values.keys() == SEARCH_SPACE.keys()
    assert {name: values[name] for name in expected} == expected
    assert values["windows.T"] == (1 if short else 3)
    assert values["trainer.learning_rate"] == (0.006 if short else 0.004)
    assert (values["windows.L"], values["model.d"]) == (5, 100)


def test_set_values_are_tried_as_they_are(tmp_path):
    here = training(
        tmp_path, 10, ModelSettings(d=7, user_dropout=0.1), WindowSettings(L=6, T=2), TrainerSettings(epochs=9)
    )
    values = configured_values(here, True, 1.0)
    expected = {"model.d": 7, "model.user_dropout": 0.1, "windows.L": 6, "windows.T": 2, "trainer.epochs": 9}
    assert {name: values[name] for name in expected} == expected
    space = search_space(None, [values], here)
    assert space["model.d"] == [7, 50, 75, 100, 150]
    assert all(values[name] in space[name] for name in SEARCH_SPACE)


def test_untied_embeddings_are_never_normalized(tmp_path):
    here = training(tmp_path, model=ModelSettings(tied_embeddings=False))
    assert search_space(None, [configured_values(here, True, 1.0)], here)["model.normalize"] == [False]


def test_windows_are_never_shorter_than_configured_filters(tmp_path):
    here = training(tmp_path, model=ModelSettings(heights=[1, 4]))
    assert search_space(None, [configured_values(here, True, 1.0)], here)["windows.L"] == [4, 5, 7, 10]


def test_only_named_parameters_are_in_the_space(tmp_path):
    here = training(tmp_path)
    assert search_space(["model.d"], [configured_values(here, True, 1.0)], here).keys() == {"model.d"}


@pytest.mark.parametrize(
    ("per_user", "auto", "expected"),
    [
        (10, True, [True]),
        (30, True, [True, False]),
        (50, True, [False, True]),
        (50, False, [False]),
        (200, True, [False]),
    ],
)
def test_both_sets_of_defaults_are_tried_where_an_untuned_training_would(per_user, auto, expected, tmp_path):
    assert defaults_to_try(training(tmp_path, per_user, trainer=TrainerSettings(auto=auto))) == expected


@pytest.mark.parametrize("parameters", [[], ["model.depth"]])
def test_unknown_parameter_is_refused(parameters):
    with pytest.raises(ValidationError, match=r"`tuner.parameters` should name some of windows.L, .*Received"):
        TunerSettings(parameters=parameters)


def test_tuned_values_replace_the_configured_ones():
    config = {"seed": 1, "model": {"d": 5, "l2": 0.1}, "trainer": {"auto": True, "epochs": None}}
    tuned = with_hyperparameters(config, {"values": {"model.d": 9, "trainer.epochs": 3}})
    assert tuned == {"seed": 1, "model": {"d": 9, "l2": 0.1}, "trainer": {"auto": False, "epochs": 3}}
    assert with_hyperparameters(config, None) == config
    assert config["model"]["d"] == 5


def test_documented_space_is_the_one_that_is_searched():
    page = (Path(__file__).parents[3] / "docs" / "tuning.md").read_text()
    rows = dict(re.findall(r"^\| `((?:windows|model|trainer)\.[A-Za-z_]+)` \| (.*) \|$", page, re.MULTILINE))
    assert {name: yaml.safe_load(f"[{values}]") for name, values in rows.items()} == {
        name: list(values) for name, values in SEARCH_SPACE.items()
    }
