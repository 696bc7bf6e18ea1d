"""CaserPusher: publishes a blessed model as a new version for TF Serving."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, component_spec, standard_artifacts

from components.example_gen.settings import SplitSettings
from components.items_gen.artifact import ItemsArtifact
from components.pusher.executor import Executor
from components.pusher.settings import PusherSettings


class _CaserPusherSpec(component_spec.ComponentSpec):
    PARAMETERS = {
        "serving_dir": component_spec.ExecutionParameter(type=str),
        "keep": component_spec.ExecutionParameter(type=int),
        "config_digest": component_spec.ExecutionParameter(type=str),
        "split": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "model_blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
        "baseline_blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing, optional=True),
        "drift_blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing, optional=True),
        "refit_blessing": component_spec.ChannelParameter(type=standard_artifacts.InfraBlessing, optional=True),
        "evaluation": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation, optional=True),
        "validation": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation, optional=True),
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples, optional=True),
        "items": component_spec.ChannelParameter(type=ItemsArtifact, optional=True),
    }
    OUTPUTS = {"pushed_model": component_spec.ChannelParameter(type=standard_artifacts.PushedModel)}


class CaserPusher(base_component.BaseComponent):
    """Publishes a blessed model atomically to `<serving_dir>/caser/<version>/`, after verification in a fresh process.

    The node is idempotent: a model that equals the newest version is not pushed again. The URI of its output is the
    pushed version itself, so an orchestrator that caches outputs has to check that they exist, as TFX does.

    Inputs:
        model: model from `CaserTrainer`, or from `RefitTrainer`.
        model_blessing: blessing from the Evaluator; only a blessed model is pushed.
        baseline_blessing: optional, from `BaselineValidator`; the model needs all blessings.
        drift_blessing: optional, from `DriftValidator`.
        refit_blessing: optional, from `RefitValidator`.
        evaluation: optional, from the Evaluator; its metrics are stored in `assets.extra/model.json`, and in the model
            card, `assets.extra/model_card.json`.
        validation: optional, from `BaselineValidator`; intervals and baselines of the model card.
        examples: optional, from `InteractionExampleGen`; the data of the model card.
        items: optional, from `ItemsGen`; stored in `assets.extra`, for titles and conditions of clients.

    Outputs:
        pushed_model: properties `pushed` (0 or 1), `pushed_destination` and `pushed_version`.
    """

    SPEC_CLASS = _CaserPusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        model_blessing: types.BaseChannel,
        serving_dir: str,
        baseline_blessing: types.BaseChannel | None = None,
        drift_blessing: types.BaseChannel | None = None,
        refit_blessing: types.BaseChannel | None = None,
        evaluation: types.BaseChannel | None = None,
        validation: types.BaseChannel | None = None,
        examples: types.BaseChannel | None = None,
        items: types.BaseChannel | None = None,
        pusher: PusherSettings | None = None,
        split: SplitSettings | None = None,
        config_digest: str = "",
    ) -> None:
        """Declares the node.

        Args:
            model: the model to push.
            model_blessing: blessing from the Evaluator.
            serving_dir: TF Serving's model directory, or its URI in an object store.
            baseline_blessing: blessing from BaselineValidator.
            drift_blessing: blessing from DriftValidator.
            refit_blessing: blessing from RefitValidator.
            evaluation: evaluation from the Evaluator.
            validation: comparison from BaselineValidator.
            examples: Examples with counts.
            items: titles and other columns of items.
            pusher: how many versions to keep.
            split: how histories were split, for the model card.
            config_digest: digest of the configuration, stored with the version.
        """
        super().__init__(
            _CaserPusherSpec(
                model=model,
                model_blessing=model_blessing,
                baseline_blessing=baseline_blessing,
                drift_blessing=drift_blessing,
                refit_blessing=refit_blessing,
                evaluation=evaluation,
                validation=validation,
                examples=examples,
                items=items,
                serving_dir=serving_dir,
                keep=(pusher or PusherSettings()).keep,
                split=split.model_dump_json() if split else "",
                config_digest=config_digest,
                pushed_model=channel_utils.as_channel([standard_artifacts.PushedModel()]),
            )
        )
