"""The search by KerasTuner: which values are tried next, and what happens to finished trials."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf
from keras_tuner import HyperParameters, Objective
from keras_tuner.engine import base_tuner
from keras_tuner.errors import FatalError
from keras_tuner.oracles import BayesianOptimizationOracle

from components.errors import UserError
from components.trainer import progress
from components.tuner.settings import Value

# Before the search by a Gaussian process: this fraction of the trials, but at least so many, is random.
_RANDOM_FRACTION, _LEAST_RANDOM = 1 / 3, 4


class Oracle(BayesianOptimizationOracle):
    """Bayesian optimization that begins with what is configured, and tries nothing twice: trainings have one seed."""

    first: Sequence[Mapping[str, Value]] = ()

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Values of the next trial, see KerasTuner."""
        if len(self.trials) < len(self.first):
            return {"status": "RUNNING", "values": dict(self.first[len(self.trials)])}
        response = super().populate_space(trial_id)
        if response["values"] in [trial.hyperparameters.values for trial in self.trials.values()]:
            # The Gaussian process does not know that values are discrete.
            response = self._random_populate_space()
        return dict(response)


class Search(base_tuner.BaseTuner):
    """Tries values; what is finished is kept in a folder, from which the same search goes on."""

    def __init__(
        self,
        space: Mapping[str, Sequence[Value]],
        first: Sequence[Mapping[str, Value]],
        metric: str,
        trials: int,
        seed: int,
        folder: str,
        evaluate: Callable[[dict[str, Any]], float],
    ) -> None:
        """Reads finished trials, if there are some.

        Args:
            space: values to choose from, by setting.
            first: values of the first trials.
            metric: name of what is maximized.
            trials: number of trials, the finished ones included.
            seed: random seed.
            folder: where finished trials are kept.
            evaluate: the metric, from a `keras_tuner.HyperParameters` config.

        Raises:
            UserError: the folder holds something else.
        """
        self._evaluate, self._metric = evaluate, metric
        oracle = Oracle(
            objective=Objective(metric, "max"),
            max_trials=trials,
            num_initial_points=max(round(trials * _RANDOM_FRACTION), _LEAST_RANDOM),
            hyperparameters=_parameters(space, first[0]),
            seed=seed,
        )
        oracle.first = [{name: values[name] for name in space} for values in first]
        try:
            super().__init__(oracle, directory=os.path.dirname(folder), project_name=os.path.basename(folder))
        except (ValueError, RuntimeError) as error:
            raise UserError(
                f"The trials in {folder} cannot be read: {error}. Hint: remove this directory; the search begins anew."
            ) from None

    def run_trial(self, trial: Any, *_: Any, **__: Any) -> dict[str, float]:
        """Evaluates the values of a trial, see KerasTuner."""
        scores = [other.score for other in self.oracle.trials.values() if other.score is not None]
        best = f", best {max(scores):.4f}" if scores else ""
        try:
            with progress.stage(f"trial {int(trial.trial_id) + 1} of {self.oracle.max_trials}{best}"):
                return {self._metric: self._evaluate(trial.hyperparameters.get_config())}
        except Exception as error:
            # Values such as a high learning rate may not work; then the search goes on without them.
            if scores and isinstance(error, UserError | tf.errors.ResourceExhaustedError):
                raise
            raise FatalError(f"trial {trial.trial_id} failed") from error


def _parameters(space: Mapping[str, Sequence[Value]], default: Mapping[str, Value]) -> HyperParameters:
    parameters = HyperParameters()
    for name, values in space.items():
        if len(values) == 1:
            parameters.Fixed(name, values[0])
        elif isinstance(values[0], bool):  # `Choice` would make numbers of them
            parameters.Boolean(name, default=default[name])
        else:
            parameters.Choice(name, list(values), default=default[name])
    return parameters
