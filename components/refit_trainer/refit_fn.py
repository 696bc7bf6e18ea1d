"""refit_fn, the entry point of the refit: trains as the evaluated model was trained, on all interactions."""

from __future__ import annotations

import keras
from tfx.components.trainer.fn_args_utils import FnArgs

from components.refit_trainer.executor import EVALUATED_MODEL
from components.sequential_rules.artifact import read_rules
from components.sequential_rules.scorer import Rules, RuleScorer
from components.trainer.base_model import BaseModel
from components.trainer.executor import RULES
from components.trainer.run_fn import export, read_valid
from components.trainer.training import Training


def refit_fn(fn_args: FnArgs) -> None:
    """Trains with the plan of the evaluated model, until its best epoch, and exports with its weight of the rules.

    Args:
        fn_args: as for `run_fn`, with complete histories; `custom_config` also holds the directory of the evaluated
            model. The valid split only measures the recall of an approximate index.
    """
    config = fn_args.custom_config
    keras.utils.set_random_seed(config["seed"])
    training = Training.read(fn_args)
    evaluated = BaseModel.read(config[EVALUATED_MODEL])
    # More items may have another default, but the blessed one is what was evaluated.
    training = training._replace(model_settings=evaluated.hyperparameters(training.model_settings))
    base = BaseModel.read(fn_args.base_model) if evaluated.plan.warm_start else None
    trained = training.train(evaluated.plan, base=base)
    weight = evaluated.info["rule_weight"]
    tables = read_rules(config[RULES]) if weight else None
    rules = Rules(RuleScorer(tables), weight) if tables is not None else None
    trained = trained._replace(servable=trained.servable.with_parts(rules))
    export(fn_args, training, trained, read_valid(config, training))
