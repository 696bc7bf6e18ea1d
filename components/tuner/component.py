"""CaserTuner: TFX's Tuner node with the raw valid split and the sequential rules as additional inputs."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, component_spec, standard_artifacts

from components.export.settings import ExportSettings
from components.features import TRAIN
from components.items_gen.artifact import ItemsArtifact
from components.model.settings import ModelSettings
from components.model.window_settings import WindowSettings
from components.ranking.settings import RecommendSettings
from components.sequential_rules.artifact import SequentialRulesArtifact
from components.trainer.component import training_parameters
from components.trainer.settings import TrainerSettings
from components.tuner.executor import Executor
from components.tuner.settings import TunerSettings
from components.tuner.tuner_fn import tuner_fn


class _CaserTunerSpec(component_spec.ComponentSpec):
    """Names as in TFX's Tuner, so that its executor understands them."""

    PARAMETERS = {
        "train_args": component_spec.ExecutionParameter(type=str),
        "eval_args": component_spec.ExecutionParameter(type=str),
        "tuner_fn": component_spec.ExecutionParameter(type=str),
        "custom_config": component_spec.ExecutionParameter(type=str),
        "settings": component_spec.ExecutionParameter(type=str),
        "directory": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
        "raw_examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "rules": component_spec.ChannelParameter(type=SequentialRulesArtifact, optional=True),
        "blocklist": component_spec.ChannelParameter(type=ItemsArtifact, optional=True),
    }
    OUTPUTS = {
        "best_hyperparameters": component_spec.ChannelParameter(type=standard_artifacts.HyperParameters),
        "tuner_results": component_spec.ChannelParameter(type=standard_artifacts.TunerResults),
    }


class CaserTuner(base_component.BaseComponent):
    """Searches for hyperparameters by Bayesian optimization on the valid split.

    The first trials are what the settings and defaults give, so the best one is never worse than these on valid. A
    trial is a training as `CaserTrainer` does it, from scratch, with the same seed; it is judged by what would be
    served: Caser with the sequential rules, whose weight each trial chooses.

    Inputs:
        examples: windows from Transform; its `train` split is read.
        transform_graph: from the same Transform, with the vocabularies.
        raw_examples: from `InteractionExampleGen`, with a `valid` split.
        rules: optional, from `SequentialRules`.
        blocklist: optional, from `ItemsGen`; its items are never recommended.

    Outputs:
        best_hyperparameters: as from TFX's Tuner, for `CaserTrainer`.
        tuner_results: as from TFX's Tuner: a JSON object per trial, best first.
    """

    SPEC_CLASS = _CaserTunerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        raw_examples: types.BaseChannel,
        directory: str,
        rules: types.BaseChannel | None = None,
        blocklist: types.BaseChannel | None = None,
        settings: TunerSettings | None = None,
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
            directory: where finished trials are kept, so that a search that was stopped goes on. One for all runs:
                each search has a folder in it.
            rules: sequential rules.
            blocklist: items that are never recommended.
            settings: number of trials, and what is tuned.
            seed: random seed of the search and of every training.
            windows: shape of the windows.
            model: hyperparameters of Caser.
            trainer: loss, optimizer and early stopping.
            export: outputs of the exported model.
            recommend: what may be recommended.
        """
        super().__init__(
            _CaserTunerSpec(
                examples=examples,
                transform_graph=transform_graph,
                raw_examples=raw_examples,
                rules=rules,
                blocklist=blocklist,
                tuner_fn=f"{tuner_fn.__module__}.{tuner_fn.__name__}",
                settings=(settings or TunerSettings()).model_dump_json(),
                directory=directory,
                best_hyperparameters=channel_utils.as_channel([standard_artifacts.HyperParameters()]),
                tuner_results=channel_utils.as_channel([standard_artifacts.TunerResults()]),
                **training_parameters(TRAIN, seed, windows, model, trainer, export, recommend),
            )
        )
