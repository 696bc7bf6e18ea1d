"""Trainer: `run_fn` reads, fits and exports; `CaserTrainer` is TFX's Trainer that also gets the valid split."""

from __future__ import annotations

import json
import os
from typing import Any

import keras
import tensorflow as tf
import tensorflow_transform as tft
from tfx import types
from tfx.components.trainer import executor
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import artifact_utils, channel_utils, component_spec, standard_artifacts
from tfx.utils import io_utils, json_utils

from components.export.servable import ServableCaser
from components.features import ITEM_VOCABULARY, TRAIN, USER_VOCABULARY, VALID
from components.model.caser import Caser
from components.settings import ExportSettings, ModelSettings, TrainerSettings, WindowSettings
from components.trainer.dataset import read_windows
from components.trainer.fit import fit
from components.trainer.losses.loss_choice import chosen_loss
from components.trainer.validation import read_raw_examples, validator
from components.transform.vocabulary import Vocabulary

# In the model_run artifact: one dict per epoch, as `fit` returns them.
HISTORY_FILE = "training_history.json"
_VALIDATION_FILES = "validation_files"


def run_fn(fn_args: FnArgs) -> None:
    """Entry point of TFX's Trainer: reads, fits, exports.

    Args:
        fn_args: `custom_config` holds `seed` and the settings `windows`, `model`, `trainer` and `export` as dicts,
            and where the raw valid split is (without it there is no early stopping).
    """
    config = fn_args.custom_config
    seed = config["seed"]
    windows_settings = WindowSettings.model_validate(config["windows"])
    trainer_settings = TrainerSettings.model_validate(config["trainer"])
    keras.utils.set_random_seed(seed)

    transform = tft.TFTransformOutput(fn_args.transform_graph_path)
    windows = read_windows(fn_args.train_files, fn_args.data_accessor, transform.transformed_metadata.schema)
    items = Vocabulary.from_transform(transform, ITEM_VOCABULARY)
    users = Vocabulary.from_transform(transform, USER_VOCABULARY)

    model = Caser(users.size, items.size, windows_settings.L, ModelSettings.model_validate(config["model"]))
    k = ExportSettings.model_validate(config["export"]).k
    servable = ServableCaser(model, items, users, k, chosen_loss(trainer_settings, items.size).loss)
    held_out = read_raw_examples(config.get(_VALIDATION_FILES, []))
    # Where all histories are short, the split may be there and hold nobody.
    validate = validator(servable, held_out) if len(held_out) else None
    history = fit(model, windows, trainer_settings, seed, validate)

    _write_history(fn_args.model_run_dir, history)
    servable.save(fn_args.serving_model_dir)


def _write_history(model_run_dir: str, history: list[dict[str, Any]]) -> None:
    """Leaves the training curve as JSON and as TensorBoard events."""
    io_utils.write_string_file(os.path.join(model_run_dir, HISTORY_FILE), json.dumps(history, indent=1))
    with tf.summary.create_file_writer(os.path.join(model_run_dir, "tensorboard")).as_default():
        for row in history:
            for name, value in row.items():
                if name not in ("epoch", "minimised"):
                    tf.summary.scalar(name, value, step=row["epoch"])


class _Executor(executor.GenericExecutor):
    """TFX's Trainer that also tells `run_fn` where the raw valid split is."""

    def _GetFnArgs(  # noqa: N802 -- named by TFX
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> FnArgs:
        fn_args = super()._GetFnArgs(input_dict, output_dict, exec_properties)
        raw = input_dict.get("raw_examples")
        if raw and VALID in artifact_utils.decode_split_names(raw[0].split_names):
            split = artifact_utils.get_split_uri(raw, VALID)
            files = tf.io.gfile.glob(io_utils.all_files_pattern(split))
            fn_args.custom_config = {**fn_args.custom_config, _VALIDATION_FILES: files}
        return fn_args


class _CaserTrainerSpec(component_spec.ComponentSpec):
    """Names as in TFX's own Trainer, so that its executor and `FnArgs` understand them."""

    PARAMETERS = {
        "train_args": component_spec.ExecutionParameter(type=str),
        "eval_args": component_spec.ExecutionParameter(type=str),
        "run_fn": component_spec.ExecutionParameter(type=str),
        "custom_config": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
        "raw_examples": component_spec.ChannelParameter(type=standard_artifacts.Examples, optional=True),
    }
    OUTPUTS = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "model_run": component_spec.ChannelParameter(type=standard_artifacts.ModelRun),
    }


class CaserTrainer(base_component.BaseComponent):
    """Fits Caser on windows and exports a servable model.

    Inputs:
        examples: windows, from Transform with `preprocessing_fn` of `components.transform`; its `train` split is read.
        transform_graph: of the same Transform; holds the vocabularies.
        raw_examples: from `InteractionExampleGen`; its `valid` split, where there is one, stops training early.

    Outputs:
        model: SavedModel with the signatures of `components.export.servable`.
        model_run: `training_history.json` and TensorBoard events.
    """

    SPEC_CLASS = _CaserTrainerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(_Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        raw_examples: types.BaseChannel | None = None,
        seed: int = 42,
        windows: WindowSettings | None = None,
        model: ModelSettings | None = None,
        trainer: TrainerSettings | None = None,
        export: ExportSettings | None = None,
    ) -> None:
        """Declares the node.

        Args:
            examples: see the class.
            transform_graph: see the class.
            raw_examples: see the class.
            seed: makes a run repeatable.
            windows: the same as for Transform.
            model: shape of Caser.
            trainer: loss, optimiser and stopping.
            export: what the exported model answers.
        """
        settings = {
            "windows": windows or WindowSettings(),
            "model": model or ModelSettings(),
            "trainer": trainer or TrainerSettings(),
            "export": export or ExportSettings(),
        }
        config = {"seed": seed, **{name: part.model_dump() for name, part in settings.items()}}
        # Not by its name: TFX reloads this module when it runs `run_fn`, and the name then stands for another class.
        super().__init__(
            self.SPEC_CLASS(
                examples=examples,
                transform_graph=transform_graph,
                raw_examples=raw_examples,
                train_args=json.dumps({"splits": [TRAIN]}),
                # TFX resolves a split here too; nothing reads it.
                eval_args=json.dumps({"splits": [TRAIN]}),
                run_fn=f"{run_fn.__module__}.{run_fn.__name__}",
                custom_config=json_utils.dumps(config),
                model=channel_utils.as_channel([standard_artifacts.Model()]),
                model_run=channel_utils.as_channel([standard_artifacts.ModelRun()]),
            )
        )
