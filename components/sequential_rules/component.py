"""SequentialRules: the sequential-rules baseline as a node."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, component_spec, standard_artifacts

from components.features import TEST
from components.sequential_rules.executor import Executor
from components.sequential_rules.settings import SequentialRulesSettings


class _SequentialRulesSpec(component_spec.ComponentSpec):
    PARAMETERS = {
        "settings": component_spec.ExecutionParameter(type=str),
        "split": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
    }
    OUTPUTS = {"evaluation": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation)}


class SequentialRules(base_component.BaseComponent):
    """Evaluates sequential rules on the same users as the model (see `components.sequential_rules.rules`).

    Inputs:
        examples: raw Examples from `InteractionExampleGen`; counted on `train`, evaluated on `split`.
        transform_graph: from Transform, with the item vocabulary.

    Outputs:
        evaluation: `sequential_rules.json`: the metrics of `components.ranking.metrics`, or why it was skipped.
    """

    SPEC_CLASS = _SequentialRulesSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        settings: SequentialRulesSettings | None = None,
        split: str = TEST,
    ) -> None:
        """Declares the node.

        Args:
            examples: raw Examples.
            transform_graph: transform graph with the item vocabulary.
            settings: parameters of the rules.
            split: split to evaluate.
        """
        super().__init__(
            _SequentialRulesSpec(
                examples=examples,
                transform_graph=transform_graph,
                settings=(settings or SequentialRulesSettings()).model_dump_json(),
                split=split,
                evaluation=channel_utils.as_channel([standard_artifacts.ModelEvaluation()]),
            )
        )
