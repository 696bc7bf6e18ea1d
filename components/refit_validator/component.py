"""RefitValidator: checks a refitted model as a node."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, component_spec, standard_artifacts

from components.features import TEST
from components.refit_trainer.settings import RefitSettings
from components.refit_validator.executor import Executor


class _RefitValidatorSpec(component_spec.ComponentSpec):
    PARAMETERS = {
        "settings": component_spec.ExecutionParameter(type=str),
        "split": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "evaluated_model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS = {
        # Not a ModelBlessing: the last blessed model, which others are compared with, must be an evaluated one.
        "blessing": component_spec.ChannelParameter(type=standard_artifacts.InfraBlessing),
        "validation": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation),
    }


class RefitValidator(base_component.BaseComponent):
    """Blesses a refitted model that recommends much like the evaluated one.

    It has been trained on the held-out items, so metrics would say nothing. Its weights must be finite, it must know
    all items of the evaluated model, and its top lists must overlap with those of the evaluated model and cover as
    much of the catalogue (see `components.refit_validator.checks`). CaserPusher replays its golden request besides.

    Inputs:
        model: from `RefitTrainer`.
        evaluated_model: from `CaserTrainer`.
        examples: raw Examples; users of `split` are compared.

    Outputs:
        blessing: whether the refitted model may be pushed.
        validation: `refit_validation.json`.
    """

    SPEC_CLASS = _RefitValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        evaluated_model: types.BaseChannel,
        examples: types.BaseChannel,
        settings: RefitSettings | None = None,
        split: str = TEST,
    ) -> None:
        """Declares the node.

        Args:
            model: the refitted model.
            evaluated_model: the evaluated model.
            examples: raw Examples.
            settings: thresholds.
            split: split whose users are compared.
        """
        super().__init__(
            _RefitValidatorSpec(
                model=model,
                evaluated_model=evaluated_model,
                examples=examples,
                settings=(settings or RefitSettings()).model_dump_json(),
                split=split,
                blessing=channel_utils.as_channel([standard_artifacts.InfraBlessing()]),
                validation=channel_utils.as_channel([standard_artifacts.ModelEvaluation()]),
            )
        )
