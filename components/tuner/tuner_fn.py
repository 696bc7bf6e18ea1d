"""tuner_fn, the entry point of TFX's Tuner."""

from __future__ import annotations

import copy
from typing import Any

import keras
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from components.errors import UserError
from components.trainer.defaults import are_short, is_unclear
from components.trainer.run_fn import held_out_per_user, read_valid, train
from components.trainer.training import Training
from components.trainer.validation import validator
from components.transform.encoded_users import EncodedUsers
from components.tuner.executor import SEARCH_FOLDER, SETTINGS
from components.tuner.search import Search
from components.tuner.search_space import configured_values, search_space
from components.tuner.settings import TunerSettings


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Sets up the search; if its folder holds finished trials of the same search, it goes on from there.

    Args:
        fn_args: `custom_config` as for `run_fn`, with the settings of the Tuner and the folder of the search.

    Raises:
        UserError: there is nobody in the valid split.
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
    held_out = held_out_per_user(valid)
    first = [configured_values(training, short, held_out) for short in defaults_to_try(training)]
    search = Search(
        search_space(settings.parameters, first, training),
        first,
        training.settings.monitor,
        settings.trials,
        training.seed,
        config[SEARCH_FOLDER],
        lambda values: _metric(fn_args, values, valid),
    )
    return TunerFnResult(search, {})


def defaults_to_try(training: Training) -> list[bool]:
    """The sets of defaults that an untuned training would try, as `short_histories`; the likelier one first.

    Args:
        training: settings and data.
    """
    size = len(training.windows), training.windows.users
    short = are_short(*size)
    return [short, not short] if training.settings.auto and is_unclear(*size) else [short]


def _metric(fn_args: FnArgs, hyperparameters: dict[str, Any], valid: EncodedUsers) -> float:
    """The metric of the served scores on valid, after a training as `run_fn` does it."""
    keras.backend.clear_session()
    fn_args = copy.copy(fn_args)
    fn_args.hyperparameters = hyperparameters
    training, trained, _ = train(fn_args)
    metrics = validator(trained.servable.scores, valid, training.items.size)()
    return metrics[training.settings.monitor]
