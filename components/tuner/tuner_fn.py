"""tuner_fn, the entry point of TFX's Tuner: the search and its trials."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import keras_tuner
import tensorflow as tf
from keras_tuner.engine import base_tuner
from keras_tuner.errors import FatalError
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from components.errors import UserError
from components.trainer import progress
from components.trainer.defaults import are_short, is_unclear
from components.trainer.run_fn import held_out_per_user, read_valid, train
from components.trainer.training import Training
from components.trainer.validation import validator
from components.tuner.executor import SEARCH_FOLDER, SETTINGS
from components.tuner.search_space import configured_values, search_space
from components.tuner.settings import TunerSettings, Value

# Before the search by a Gaussian process: this fraction of the trials, but at least so many, is random.
_RANDOM_FRACTION, _LEAST_RANDOM = 1 / 3, 4


class _Search(keras_tuner.oracles.BayesianOptimizationOracle):
    """Bayesian optimization that begins with what is configured."""

    first: Sequence[Mapping[str, Value]] = ()

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Values of the next trial."""
        number = len(self.trials)
        if number >= len(self.first):
            return dict(super().populate_space(trial_id))
        return {"status": "RUNNING", "values": dict(self.first[number])}


class _Trials(base_tuner.BaseTuner):
    """Trains with the values of a trial."""

    def __init__(self, fn_args: FnArgs, metric: str, oracle: _Search, folder: str) -> None:
        self._fn_args, self._metric = fn_args, metric
        super().__init__(oracle, directory=os.path.dirname(folder), project_name=os.path.basename(folder))

    def run_trial(self, trial: Any, *_: Any, **__: Any) -> dict[str, float]:
        """The metric of the served scores on valid."""
        keras.backend.clear_session()
        fn_args = copy.copy(self._fn_args)
        fn_args.hyperparameters = trial.hyperparameters.get_config()
        done = [other.score for other in self.oracle.trials.values() if other.score is not None]
        best = f", best {max(done):.4f}" if done else ""
        try:
            with progress.stage(f"trial {len(done) + 1} of {self.oracle.max_trials}{best}"):
                _, trained, valid = train(fn_args)
        except Exception as error:
            # Values such as a high learning rate may not work; then the search goes on without them.
            if done and isinstance(error, UserError | tf.errors.ResourceExhaustedError):
                raise
            raise FatalError(f"trial {trial.trial_id} failed") from error
        assert valid is not None  # `tuner_fn` has seen it
        metrics = validator(trained.servable.scores, valid, trained.servable.items.size)()
        return {self._metric: metrics[self._metric]}


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Sets up the search; if its folder holds finished trials of the same search, it goes on from there.

    Args:
        fn_args: `custom_config` as for `run_fn`, with the settings of the Tuner and the folder of the search.

    Raises:
        UserError: the valid split is empty.
    """
    config = fn_args.custom_config
    training = Training.read(fn_args)
    valid = read_valid(config, training)
    if valid is None:
        raise UserError(
            "No user has an interaction in the valid split, so trials cannot be compared. Hint: hold out more with "
            "`split.valid`, or use split.strategy=leave_last."
        )
    settings = TunerSettings.model_validate(config[SETTINGS])
    first = [configured_values(training, short, held_out_per_user(valid)) for short in _short_histories(training)]
    space = search_space(settings.parameters, first, training)
    parameters = keras_tuner.HyperParameters()
    for name, values in space.items():
        if len(values) == 1:
            parameters.Fixed(name, values[0])
        elif isinstance(values[0], bool):  # `Choice` would make numbers of them
            parameters.Boolean(name, default=first[0][name])
        else:
            parameters.Choice(name, values, default=first[0][name])
    metric = training.settings.monitor
    search = _Search(
        objective=keras_tuner.Objective(metric, "max"),
        max_trials=settings.trials,
        num_initial_points=max(round(settings.trials * _RANDOM_FRACTION), _LEAST_RANDOM),
        hyperparameters=parameters,
        seed=training.seed,
    )
    search.first = [{name: values[name] for name in space} for values in first]
    return TunerFnResult(_Trials(fn_args, metric, search, config[SEARCH_FOLDER]), {})


def _short_histories(training: Training) -> list[bool]:
    """The sets of defaults that an untuned training would try, the likelier one first."""
    size = len(training.windows), training.windows.users
    short = are_short(*size)
    return [short, not short] if training.settings.auto and is_unclear(*size) else [short]
