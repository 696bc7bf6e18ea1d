"""MlflowTracker: records a run in MLflow as a node."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, component_spec, standard_artifacts
from tfx.types.artifact import Artifact

from components.mlflow_tracker.executor import Executor
from components.mlflow_tracker.settings import MlflowSettings


class TrackedRunArtifact(Artifact):
    """`run_id.txt`: the ID of the run in MLflow."""

    TYPE_NAME = "TrackedRun"


class _MlflowTrackerSpec(component_spec.ComponentSpec):
    PARAMETERS = {
        "config": component_spec.ExecutionParameter(type=str),
        "settings": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "model_run": component_spec.ChannelParameter(type=standard_artifacts.ModelRun),
        "validation": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "model_blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
        "baseline_blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing, optional=True),
        "drift_blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing, optional=True),
        "refit_blessing": component_spec.ChannelParameter(type=standard_artifacts.InfraBlessing, optional=True),
        "pushed_model": component_spec.ChannelParameter(type=standard_artifacts.PushedModel, optional=True),
    }
    OUTPUTS = {"tracked_run": component_spec.ChannelParameter(type=TrackedRunArtifact)}


class MlflowTracker(base_component.BaseComponent):
    """Records settings, metrics and training curve in MLflow; a run on unchanged data and settings is recorded once.

    Inputs:
        examples: from `InteractionExampleGen`, with counts.
        model_run: from `CaserTrainer`, with the training curve.
        validation: from `BaselineValidator`: metrics of what is served and of all baselines.
        model_blessing: from the Evaluator.
        baseline_blessing: optional, from `BaselineValidator`.
        drift_blessing: optional, from `DriftValidator`.
        refit_blessing: optional, from `RefitValidator`.
        pushed_model: optional, from `CaserPusher`; its version is a tag.

    Outputs:
        tracked_run: the ID of the run in MLflow.
    """

    SPEC_CLASS = _MlflowTrackerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model_run: types.BaseChannel,
        validation: types.BaseChannel,
        model_blessing: types.BaseChannel,
        baseline_blessing: types.BaseChannel | None = None,
        drift_blessing: types.BaseChannel | None = None,
        refit_blessing: types.BaseChannel | None = None,
        pushed_model: types.BaseChannel | None = None,
        settings: MlflowSettings | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        """Declares the node.

        Args:
            examples: raw Examples.
            model_run: training curve.
            validation: metrics.
            model_blessing: blessing from the Evaluator.
            baseline_blessing: blessing from BaselineValidator.
            drift_blessing: blessing from DriftValidator.
            refit_blessing: blessing from RefitValidator.
            pushed_model: the pushed model.
            settings: server and experiment.
            config: settings of the run by dotted key; they become MLflow's params.
        """
        super().__init__(
            _MlflowTrackerSpec(
                examples=examples,
                model_run=model_run,
                validation=validation,
                model_blessing=model_blessing,
                baseline_blessing=baseline_blessing,
                drift_blessing=drift_blessing,
                refit_blessing=refit_blessing,
                pushed_model=pushed_model,
                config=json.dumps(config or {}, sort_keys=True),
                settings=(settings or MlflowSettings()).model_dump_json(),
                tracked_run=channel_utils.as_channel([TrackedRunArtifact()]),
            )
        )
