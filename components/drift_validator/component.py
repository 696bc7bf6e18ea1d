"""DriftValidator: compares the data with that of the last blessed model as a node."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, component_spec, standard_artifacts

from components.drift_validator.executor import Executor
from components.drift_validator.settings import DriftSettings


class _DriftValidatorSpec(component_spec.ComponentSpec):
    PARAMETERS = {"settings": component_spec.ExecutionParameter(type=str)}
    INPUTS = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "statistics": component_spec.ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "baseline_model": component_spec.ChannelParameter(type=standard_artifacts.Model, optional=True),
        "baseline_statistics": component_spec.ChannelParameter(
            type=standard_artifacts.ExampleStatistics, optional=True
        ),
    }
    OUTPUTS = {
        # A model of drifted data is no baseline for later ones, either.
        "blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
        "validation": component_spec.ChannelParameter(type=standard_artifacts.ExampleAnomalies),
    }


class DriftValidator(base_component.BaseComponent):
    """Compares size, known users and items, popularity and history lengths with those of the last blessed model's data.

    TFX's DistributionValidator compares features one by one; it knows neither vocabularies nor the lengths of lists.
    The divergence of popularity is TFDV's (see `components.drift_validator.drift`).

    Inputs:
        model: from `CaserTrainer`, trained on the data.
        examples: raw Examples from `InteractionExampleGen` with complete histories; `all` is compared, since a delivery
            that is broken is the newest one, of which time-based splits have little in `train`.
        statistics: from StatisticsGen, of the same Examples.
        baseline_model: optional, the last blessed model; without it, nothing is compared.
        baseline_statistics: optional, statistics of the Examples that it was trained on.

    Outputs:
        blessing: whether the data is similar enough for the model to be pushed.
        validation: `drift_validation.json`, all measurements.
    """

    SPEC_CLASS = _DriftValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        examples: types.BaseChannel,
        statistics: types.BaseChannel,
        baseline_model: types.BaseChannel | None = None,
        baseline_statistics: types.BaseChannel | None = None,
        settings: DriftSettings | None = None,
    ) -> None:
        """Declares the node.

        Args:
            model: the model that the data made.
            examples: raw Examples.
            statistics: their statistics.
            baseline_model: the last blessed model.
            baseline_statistics: statistics of its Examples.
            settings: thresholds.
        """
        super().__init__(
            _DriftValidatorSpec(
                model=model,
                examples=examples,
                statistics=statistics,
                baseline_model=baseline_model,
                baseline_statistics=baseline_statistics,
                settings=(settings or DriftSettings()).model_dump_json(),
                blessing=channel_utils.as_channel([standard_artifacts.ModelBlessing()]),
                validation=channel_utils.as_channel([standard_artifacts.ExampleAnomalies()]),
            )
        )
