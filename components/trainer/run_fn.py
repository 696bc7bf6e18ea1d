"""run_fn, the entry point of TFX's Trainer: reads, fits, exports."""

from __future__ import annotations

import json
import os
from typing import Any

import keras
import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.utils import io_utils

from components.example_gen.raw_examples import read_split
from components.export.servable import ServableCaser
from components.export.settings import ExportSettings
from components.features import ITEM_VOCABULARY, USER_VOCABULARY
from components.memory import available_bytes
from components.model.caser import Caser
from components.model.settings import ModelSettings
from components.model.window_settings import WindowSettings
from components.sequential_rules.artifact import read_rules
from components.sequential_rules.scorer import RuleScorer
from components.trainer.defaults import is_next_item_enough
from components.trainer.distribution import is_chief
from components.trainer.executor import RULES, VALID_SPLIT
from components.trainer.fit import fit
from components.trainer.index_choice import choose_index
from components.trainer.losses.loss_choice import resolve_loss
from components.trainer.rule_weight import choose_rules
from components.trainer.settings import TrainerSettings
from components.trainer.streamed_windows import StreamedWindows, read_windows
from components.trainer.trial import Trained, train_with_defaults
from components.trainer.validation import validator
from components.transform.encoded_users import EncodedUsers
from components.transform.vocabulary import Vocabulary

# In the model_run artifact: one dict per epoch, as `fit` returns them, each with the same `notes`.
HISTORY_FILE = "training_history.json"


def run_fn(fn_args: FnArgs) -> None:
    """Reads the windows, fits the model and exports it.

    Args:
        fn_args: `custom_config` holds `seed`, the settings `windows`, `model`, `trainer` and `export` as dicts, and
            the directory of the raw valid split (without it there is no early stopping) and of the sequential rules
            (without them, Caser alone is served).
    """
    config = fn_args.custom_config
    seed = config["seed"]
    windows_settings = WindowSettings.model_validate(config["windows"])
    model_settings = ModelSettings.model_validate(config["model"])
    trainer_settings = TrainerSettings.model_validate(config["trainer"])
    keras.utils.set_random_seed(seed)

    transform = tft.TFTransformOutput(fn_args.transform_graph_path)
    max_memory_gb = trainer_settings.max_memory_gb or available_bytes() / 8e9
    windows = read_windows(fn_args.train_files, transform.transformed_feature_spec(), windows_settings, max_memory_gb)
    items = Vocabulary.from_transform(transform, ITEM_VOCABULARY)
    users = Vocabulary.from_transform(transform, USER_VOCABULARY)

    export = ExportSettings.model_validate(config["export"])
    loss = resolve_loss(trainer_settings, items.size, len(windows)).loss
    # If all histories are short, the valid split may be empty.
    valid = EncodedUsers(read_split(config[VALID_SPLIT]), items) if VALID_SPLIT in config else None
    valid = valid if valid and valid.users else None
    held_out = _held_out_per_user(valid) if valid else None

    def train(short_histories: bool) -> Trained:
        model = Caser(users.size, items.size, windows_settings.L, model_settings.resolved(short_histories))
        servable = ServableCaser(model, items, users, export.k, loss)
        validate = validator(servable, valid) if valid else None
        one_target = (
            short_histories and windows_settings.T is None and is_next_item_enough(len(windows), items.size, held_out)
        )
        read = windows.with_targets(1) if one_target else windows
        return Trained(servable, fit(model, read, trainer_settings, seed, validate, short_histories))

    servable, history, notes = train_with_defaults(train, windows, trainer_settings)
    if isinstance(windows, StreamedWindows):
        notes = [*notes, windows.note]
    tables = read_rules(config[RULES]) if RULES in config else None
    if tables is not None:
        rules = choose_rules(servable, RuleScorer(tables), model_settings.rules, valid, trainer_settings.monitor)
        servable = servable.with_parts(rules)
    if items.size > export.exact_below:
        index, note = choose_index(servable, valid, seed)
        servable, notes = servable.with_parts(servable.rules, index), [*notes, note]
    if not is_chief(trainer_settings.distribution):
        return
    _write_history(fn_args.model_run_dir, [{**row, "notes": notes} for row in history])
    servable.save(fn_args.serving_model_dir)


def _held_out_per_user(valid: EncodedUsers) -> float:
    return sum(int(tf.size(batch.held_out.flat_values)) for batch in valid.batches()) / valid.users


def _write_history(model_run_dir: str, history: list[dict[str, Any]]) -> None:
    """Writes the training curve as JSON and as TensorBoard events."""
    io_utils.write_string_file(os.path.join(model_run_dir, HISTORY_FILE), json.dumps(history, indent=1))
    with tf.summary.create_file_writer(os.path.join(model_run_dir, "tensorboard")).as_default():
        for row in history:
            for name, value in row.items():
                if isinstance(value, float):
                    tf.summary.scalar(name, value, step=row["epoch"])
