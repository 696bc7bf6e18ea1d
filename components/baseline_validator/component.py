"""BaselineValidator: compares the model with simple baselines as a node."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, component_spec, standard_artifacts

from components.baseline_validator.executor import Executor
from components.evaluator.settings import EvaluatorSettings
from components.features import TEST
from components.items_gen.artifact import ItemsArtifact
from components.ranking.settings import RecommendSettings
from components.sequential_rules.artifact import SequentialRulesArtifact


class _BaselineValidatorSpec(component_spec.ComponentSpec):
    PARAMETERS = {
        "settings": component_spec.ExecutionParameter(type=str),
        "split": component_spec.ExecutionParameter(type=str),
        "recommend": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
        "rules": component_spec.ChannelParameter(type=SequentialRulesArtifact, optional=True),
        "blocklist": component_spec.ChannelParameter(type=ItemsArtifact, optional=True),
        "neighbours": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation, optional=True),
    }
    OUTPUTS = {
        "blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
        "validation": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation),
    }


class BaselineValidator(base_component.BaseComponent):
    """Blesses a model that is not worse than sequential rules, neighbours and popularity on the same users.

    TFX's Evaluator compares a metric with a fixed threshold or with another model; this node compares the model with
    the strongest baseline by a paired bootstrap over users (see `components.baseline_validator.comparison`).

    Inputs:
        model: model from the Trainer, with the signature `evaluate`.
        examples: raw Examples from `InteractionExampleGen`.
        transform_graph: from Transform, with the item vocabulary.
        rules: optional, from `SequentialRules`.
        neighbours: optional, from `Neighbours`, of the same split.
        blocklist: optional, from `ItemsGen`; its items are never recommended.

    Outputs:
        blessing: whether the model is blessed.
        validation: `baseline_validation.json`: metrics of all parts and baselines, with confidence intervals.
    """

    SPEC_CLASS = _BaselineValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        rules: types.BaseChannel | None = None,
        neighbours: types.BaseChannel | None = None,
        blocklist: types.BaseChannel | None = None,
        settings: EvaluatorSettings | None = None,
        split: str = TEST,
        recommend: RecommendSettings | None = None,
    ) -> None:
        """Declares the node.

        Args:
            model: model from the Trainer.
            examples: raw Examples.
            transform_graph: transform graph with the item vocabulary.
            rules: sequential rules.
            neighbours: ranks of the neighbourhood baseline.
            blocklist: items that are never recommended.
            settings: metric and thresholds.
            split: split to evaluate.
            recommend: what may be recommended, as in the model.
        """
        super().__init__(
            _BaselineValidatorSpec(
                model=model,
                examples=examples,
                transform_graph=transform_graph,
                rules=rules,
                neighbours=neighbours,
                blocklist=blocklist,
                settings=(settings or EvaluatorSettings()).model_dump_json(),
                split=split,
                recommend=(recommend or RecommendSettings()).model_dump_json(),
                blessing=channel_utils.as_channel([standard_artifacts.ModelBlessing()]),
                validation=channel_utils.as_channel([standard_artifacts.ModelEvaluation()]),
            )
        )
