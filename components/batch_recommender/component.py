"""BatchRecommender: recommendations for all users as a node."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import channel_utils, component_spec, standard_artifacts

from components.batch_recommender.executor import Executor
from components.batch_recommender.settings import BatchSettings


class _BatchRecommenderSpec(component_spec.ComponentSpec):
    PARAMETERS = {"settings": component_spec.ExecutionParameter(type=str)}
    INPUTS = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "model_blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing, optional=True),
        "baseline_blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing, optional=True),
        "drift_blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing, optional=True),
        "refit_blessing": component_spec.ChannelParameter(type=standard_artifacts.InfraBlessing, optional=True),
    }
    OUTPUTS = {"recommendations": component_spec.ChannelParameter(type=standard_artifacts.InferenceResult)}


class BatchRecommender(base_beam_component.BaseBeamComponent):
    """Recommends for every user with the complete history, by Beam's RunInference.

    Unlike TFX's BulkInferrer it writes a row per user, not a copy of each request with its answer.

    Inputs:
        model: from `CaserTrainer`, or from `RefitTrainer`.
        examples: raw Examples from `InteractionExampleGen` with complete histories.
        model_blessing: optional, from the Evaluator; like all blessings, there are no recommendations without it.
        baseline_blessing: optional, from `BaselineValidator`.
        drift_blessing: optional, from `DriftValidator`.
        refit_blessing: optional, from `RefitValidator`.

    Outputs:
        recommendations: files `recommendations-...` with `user_id`, `item_ids` and `scores`, best first.
    """

    SPEC_CLASS = _BatchRecommenderSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        examples: types.BaseChannel,
        model_blessing: types.BaseChannel | None = None,
        baseline_blessing: types.BaseChannel | None = None,
        drift_blessing: types.BaseChannel | None = None,
        refit_blessing: types.BaseChannel | None = None,
        settings: BatchSettings | None = None,
    ) -> None:
        """Declares the node.

        Args:
            model: the model.
            examples: raw Examples with complete histories.
            model_blessing: blessing from the Evaluator.
            baseline_blessing: blessing from BaselineValidator.
            drift_blessing: blessing from DriftValidator.
            refit_blessing: blessing from RefitValidator.
            settings: number of recommendations and file format.
        """
        super().__init__(
            _BatchRecommenderSpec(
                model=model,
                examples=examples,
                model_blessing=model_blessing,
                baseline_blessing=baseline_blessing,
                drift_blessing=drift_blessing,
                refit_blessing=refit_blessing,
                settings=(settings or BatchSettings()).model_dump_json(),
                recommendations=channel_utils.as_channel([standard_artifacts.InferenceResult()]),
            )
        )
