"""CaserTrainer: TFX's Trainer node with the raw valid split and the sequential rules as additional inputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tfx import types
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, component_spec, standard_artifacts
from tfx.utils import json_utils

from components.export.settings import ExportSettings
from components.features import TRAIN
from components.items_gen.artifact import ItemsArtifact
from components.model.settings import ModelSettings
from components.model.window_settings import WindowSettings
from components.ranking.settings import RecommendSettings
from components.sequential_rules.artifact import SequentialRulesArtifact
from components.trainer.executor import Executor
from components.trainer.run_fn import run_fn
from components.trainer.settings import TrainerSettings


class CaserTrainerSpec(component_spec.ComponentSpec):
    """Inputs, outputs and parameters; names as in TFX's Trainer, so that its executor and `FnArgs` understand them."""

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
        "rules": component_spec.ChannelParameter(type=SequentialRulesArtifact, optional=True),
        "blocklist": component_spec.ChannelParameter(type=ItemsArtifact, optional=True),
        "base_model": component_spec.ChannelParameter(type=standard_artifacts.Model, optional=True),
        "hyperparameters": component_spec.ChannelParameter(type=standard_artifacts.HyperParameters, optional=True),
    }
    OUTPUTS = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "model_run": component_spec.ChannelParameter(type=standard_artifacts.ModelRun),
    }


class CaserTrainer(base_component.BaseComponent):
    """Trains Caser on windows and exports a servable model.

    Inputs:
        examples: windows from Transform with `preprocessing_fn` of `components.transform`; its `train` split is read.
        transform_graph: from the same Transform, with the vocabularies.
        raw_examples: optional, from `InteractionExampleGen`; its `valid` split is used for early stopping and for the
            weight of the rules.
        rules: optional, from `SequentialRules`; combined with Caser in the exported model.
        base_model: optional, an earlier model of this node; training begins with its weights if `trainer.warm_start`.
        hyperparameters: optional, from `CaserTuner`; they take precedence over the settings.
        blocklist: optional, from `ItemsGen`; its items are never recommended.

    Outputs:
        model: SavedModel with the signatures of `components.export.servable`.
        model_run: `training_history.json` and TensorBoard events.
    """

    SPEC_CLASS = CaserTrainerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        raw_examples: types.BaseChannel | None = None,
        rules: types.BaseChannel | None = None,
        base_model: types.BaseChannel | None = None,
        hyperparameters: types.BaseChannel | None = None,
        blocklist: types.BaseChannel | None = None,
        seed: int = 42,
        windows: WindowSettings | None = None,
        model: ModelSettings | None = None,
        trainer: TrainerSettings | None = None,
        export: ExportSettings | None = None,
        recommend: RecommendSettings | None = None,
    ) -> None:
        """Declares the node.

        Args:
            examples: histories of ids from Transform.
            transform_graph: transform graph of the same Transform.
            raw_examples: raw Examples with the valid split.
            rules: sequential rules.
            base_model: model to start from.
            hyperparameters: tuned hyperparameters.
            blocklist: items that are never recommended.
            seed: random seed.
            windows: shape of the windows.
            model: hyperparameters of Caser.
            trainer: loss, optimizer and early stopping.
            export: outputs of the exported model.
            recommend: what may be recommended.
        """
        super().__init__(
            CaserTrainerSpec(
                examples=examples,
                transform_graph=transform_graph,
                raw_examples=raw_examples,
                rules=rules,
                base_model=base_model,
                hyperparameters=hyperparameters,
                blocklist=blocklist,
                **trainer_arguments(run_fn, TRAIN, seed, windows, model, trainer, export, recommend),
            )
        )


def trainer_arguments(
    entry_point: Callable[[FnArgs], None],
    split: str,
    seed: int,
    windows: WindowSettings | None,
    model: ModelSettings | None,
    trainer: TrainerSettings | None,
    export: ExportSettings | None,
    recommend: RecommendSettings | None,
) -> dict[str, Any]:
    """Parameters and outputs of a Trainer node.

    Args:
        entry_point: what it runs.
        split: split of the transformed Examples.
        seed: random seed.
        windows: shape of the windows.
        model: hyperparameters of Caser.
        trainer: loss, optimizer and early stopping.
        export: outputs of the exported model.
        recommend: what may be recommended.
    """
    return {
        "run_fn": f"{entry_point.__module__}.{entry_point.__name__}",
        "model": channel_utils.as_channel([standard_artifacts.Model()]),
        "model_run": channel_utils.as_channel([standard_artifacts.ModelRun()]),
        **training_parameters(split, seed, windows, model, trainer, export, recommend),
    }


def training_parameters(
    split: str,
    seed: int,
    windows: WindowSettings | None,
    model: ModelSettings | None,
    trainer: TrainerSettings | None,
    export: ExportSettings | None,
    recommend: RecommendSettings | None,
) -> dict[str, str]:
    """Parameters of a node that trains; see `trainer_arguments`."""
    settings = {
        "windows": windows or WindowSettings(),
        "model": model or ModelSettings(),
        "trainer": trainer or TrainerSettings(),
        "export": export or ExportSettings(),
        "recommend": recommend or RecommendSettings(),
    }
    config = {"seed": seed, **{name: part.model_dump() for name, part in settings.items()}}
    return {
        "train_args": json.dumps({"splits": [split]}),
        # TFX resolves a split here too; nothing reads it.
        "eval_args": json.dumps({"splits": [split]}),
        "custom_config": json_utils.dumps(config),
    }
