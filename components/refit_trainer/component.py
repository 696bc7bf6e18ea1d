"""RefitTrainer: TFX's Trainer node on complete histories, for a model that was evaluated without them."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from components.export.settings import ExportSettings
from components.features import ALL
from components.model.settings import ModelSettings
from components.model.window_settings import WindowSettings
from components.ranking.settings import RecommendSettings
from components.refit_trainer.executor import Executor
from components.refit_trainer.refit_fn import refit_fn
from components.trainer.component import CaserTrainerSpec, trainer_arguments
from components.trainer.settings import TrainerSettings


class _RefitTrainerSpec(CaserTrainerSpec):
    INPUTS = {
        **CaserTrainerSpec.INPUTS,
        "evaluated_model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "model_blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
        "baseline_blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing, optional=True),
        "drift_blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing, optional=True),
    }


class RefitTrainer(base_component.BaseComponent):
    """Trains a blessed model's configuration on all interactions, until the epoch that was best for it.

    Nothing is decided anew: hyperparameters, batch size, epochs, learning rate and the weight of the rules are those of
    the evaluated model. Items and users that occur in held-out interactions only are in its vocabularies.

    Inputs:
        examples: complete histories from a Transform of the `all` split.
        transform_graph: from the same Transform, with vocabularies of its own.
        evaluated_model: from `CaserTrainer`.
        model_blessing: from the Evaluator; without it, there is no refit.
        baseline_blessing: optional, from `BaselineValidator`; likewise.
        drift_blessing: optional, from `DriftValidator`; likewise.
        raw_examples: optional, from `InteractionExampleGen`; histories of its `valid` split measure the recall of an
            approximate index.
        rules: optional, from `SequentialRules` on the `all` split.
        base_model: what the evaluated model's training began with, if that was a warm start.
        hyperparameters: optional, from `CaserTuner`, as for the evaluated model.
        blocklist: optional, from `ItemsGen`; its items are never recommended.

    Outputs:
        model: SavedModel as from `CaserTrainer`; empty if the evaluated model is not blessed.
        model_run: `training_history.json` and TensorBoard events.
    """

    SPEC_CLASS = _RefitTrainerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        evaluated_model: types.BaseChannel,
        model_blessing: types.BaseChannel,
        baseline_blessing: types.BaseChannel | None = None,
        drift_blessing: types.BaseChannel | None = None,
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
            examples: complete histories of ids.
            transform_graph: transform graph with their vocabularies.
            evaluated_model: the model to repeat.
            model_blessing: blessing from the Evaluator.
            baseline_blessing: blessing from BaselineValidator.
            drift_blessing: blessing from DriftValidator.
            raw_examples: raw Examples with the valid split.
            rules: sequential rules of complete histories.
            base_model: model to start from.
            hyperparameters: tuned hyperparameters, as for the evaluated model.
            blocklist: items that are never recommended.
            seed: random seed.
            windows: shape of the windows, as for the evaluated model.
            model: hyperparameters of Caser, as for the evaluated model.
            trainer: loss and optimizer, as for the evaluated model.
            export: outputs of the exported model.
            recommend: what may be recommended.
        """
        super().__init__(
            _RefitTrainerSpec(
                examples=examples,
                transform_graph=transform_graph,
                evaluated_model=evaluated_model,
                model_blessing=model_blessing,
                baseline_blessing=baseline_blessing,
                drift_blessing=drift_blessing,
                raw_examples=raw_examples,
                rules=rules,
                base_model=base_model,
                hyperparameters=hyperparameters,
                blocklist=blocklist,
                **trainer_arguments(refit_fn, ALL, seed, windows, model, trainer, export, recommend),
            )
        )
