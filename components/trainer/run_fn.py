"""run_fn, the entry point of TFX's Trainer: reads, fits, exports."""

from __future__ import annotations

import json
import os
from typing import Any

import keras
import tensorflow as tf
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.utils import io_utils

from components.example_gen.raw_examples import read_split
from components.export.saved_model import save_model
from components.items_gen.blocklist import blocklist_note
from components.sequential_rules.artifact import read_rules
from components.sequential_rules.scorer import RuleScorer
from components.trainer.base_model import BaseModel
from components.trainer.distribution import is_chief
from components.trainer.executor import BLOCKLIST, RULES, VALID_SPLIT
from components.trainer.hyperparameters import tuned_values
from components.trainer.index_choice import choose_index
from components.trainer.rule_weight import choose_rules
from components.trainer.training import Trained, Training
from components.trainer.trial import train_with_defaults
from components.transform.encoded_users import EncodedUsers

# In the model_run artifact: one dict per epoch, as `fit` returns them, each with the same `notes`.
HISTORY_FILE = "training_history.json"

_NO_BASE_MODEL = "there is no blessed model from earlier data"


def run_fn(fn_args: FnArgs) -> None:
    """Reads the windows, fits the model and exports it.

    Args:
        fn_args: `custom_config` holds `seed`, the settings `windows`, `model`, `trainer`, `export` and `recommend` as
            dicts, the directory of the raw valid split (without it there is no early stopping), and that of the
            sequential rules (without them, Caser alone is served).
    """
    export(fn_args, *train(fn_args))


def train(fn_args: FnArgs) -> tuple[Training, Trained, EncodedUsers | None]:
    """Reads the windows, fits the model and weighs the rules.

    Args:
        fn_args: see `run_fn`.

    Returns:
        What the model was trained with, the model with the rules, and the users of the valid split.
    """
    config = fn_args.custom_config
    keras.utils.set_random_seed(config["seed"])
    training = Training.read(fn_args)
    valid = read_valid(config, training)
    trained = _train(training, valid, fn_args.base_model)
    tables = read_rules(config[RULES]) if RULES in config else None
    if tables is not None:
        weight, monitor = training.model_settings.rules, training.settings.monitor
        rules = choose_rules(trained.servable, RuleScorer(tables), weight, valid, monitor)
        trained = trained._replace(servable=trained.servable.with_parts(rules))
    if BLOCKLIST in config:
        trained = trained._replace(notes=[blocklist_note(config[BLOCKLIST], training.items), *trained.notes])
    if tuned := tuned_values(fn_args.hyperparameters):
        values = ", ".join(f"{name}={value}" for name, value in tuned.items())
        trained = trained._replace(notes=[f"Tuned hyperparameters: {values}.", *trained.notes])
    return training, trained, valid


def read_valid(config: dict[str, Any], training: Training) -> EncodedUsers | None:
    """The users of the valid split; None without one. If all histories are short, it may be empty.

    Args:
        config: `custom_config` of `run_fn`.
        training: holds the item vocabulary, and what may be recommended.
    """
    if VALID_SPLIT not in config:
        return None
    valid = EncodedUsers(read_split(config[VALID_SPLIT]), training.items, training.recommendable)
    return valid if valid.users else None


def export(fn_args: FnArgs, training: Training, trained: Trained, valid: EncodedUsers | None) -> None:
    """Writes the model and its training curve.

    Args:
        fn_args: where to.
        training: what the model was trained with.
        trained: the model.
        valid: users whose histories measure the recall of an approximate index; None: exact search.
    """
    servable, notes = trained.servable, trained.notes
    if training.items.size > training.export.exact_below:
        index, note = choose_index(servable, valid, training.seed)
        servable, notes = servable.with_parts(servable.rules, index), [*notes, note]
    if not is_chief(training.settings.distribution):
        return
    _write_history(fn_args.model_run_dir, [{**row, "notes": notes} for row in trained.history])
    save_model(servable, fn_args.serving_model_dir, trained.plan._asdict())


def _train(training: Training, valid: EncodedUsers | None, base_model: str | None) -> Trained:
    """Trains from the weights of a base model, if they fit, else from scratch."""
    held_out = held_out_per_user(valid) if valid else None

    notes = []
    if training.settings.warm_start:
        base = BaseModel.read(base_model) if base_model else None
        reason = base.mismatch(training.model_settings, training.window_settings.L) if base else _NO_BASE_MODEL
        if base and not reason:
            warm = training.plan(base.plan.short_histories, held_out).warm(training.settings.warm_start_epochs)
            trained = training.train(warm, valid, base)
            return trained._replace(notes=[f"Warm start: {base.describe(training.items)}.", *trained.notes])
        notes.append(f"No warm start: {reason}.")

    def train_plan(short_histories: bool) -> Trained:
        return training.train(training.plan(short_histories, held_out), valid)

    trained = train_with_defaults(train_plan, training.windows, training.settings)
    return trained._replace(notes=[*notes, *trained.notes])


def held_out_per_user(valid: EncodedUsers) -> float:
    """Mean number of held-out items.

    Args:
        valid: users of the valid split.
    """
    return sum(int(tf.size(batch.held_out.flat_values)) for batch in valid.batches()) / valid.users


def _write_history(model_run_dir: str, history: list[dict[str, Any]]) -> None:
    """Writes the training curve as JSON and as TensorBoard events."""
    io_utils.write_string_file(os.path.join(model_run_dir, HISTORY_FILE), json.dumps(history, indent=1))
    with tf.summary.create_file_writer(os.path.join(model_run_dir, "tensorboard")).as_default():
        for row in history:
            for name, value in row.items():
                if isinstance(value, float):
                    tf.summary.scalar(name, value, step=row["epoch"])
