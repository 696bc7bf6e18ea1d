"""SequentialRules: counts sequential rules as a node."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, component_spec, standard_artifacts

from components.features import TRAIN
from components.items_gen.artifact import ItemsArtifact
from components.ranking.settings import RecommendSettings
from components.sequential_rules.artifact import SequentialRulesArtifact
from components.sequential_rules.executor import Executor
from components.sequential_rules.settings import SequentialRulesSettings


class _SequentialRulesSpec(component_spec.ComponentSpec):
    PARAMETERS = {
        "settings": component_spec.ExecutionParameter(type=str),
        "metric": component_spec.ExecutionParameter(type=str),
        "split": component_spec.ExecutionParameter(type=str),
        "recommend": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
        "blocklist": component_spec.ChannelParameter(type=ItemsArtifact, optional=True),
        "tuned_rules": component_spec.ChannelParameter(type=SequentialRulesArtifact, optional=True),
    }
    OUTPUTS = {"rules": component_spec.ChannelParameter(type=SequentialRulesArtifact)}


class SequentialRules(base_component.BaseComponent):
    """Counts which items follow which (see `components.sequential_rules.rules`).

    Inputs:
        examples: raw Examples from `InteractionExampleGen`; counted on `train`, parameters chosen on `valid`.
        transform_graph: from Transform, with the item vocabulary.
        blocklist: optional, from `ItemsGen`; its items are never recommended on `valid`.
        tuned_rules: optional, from another `SequentialRules`, whose parameters are taken.

    Outputs:
        rules: the strongest followers of each item, for `CaserTrainer` and `BaselineValidator`.
    """

    SPEC_CLASS = _SequentialRulesSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        settings: SequentialRulesSettings | None = None,
        metric: str = "map",
        split: str = TRAIN,
        recommend: RecommendSettings | None = None,
        tuned_rules: types.BaseChannel | None = None,
        blocklist: types.BaseChannel | None = None,
    ) -> None:
        """Declares the node.

        Args:
            examples: raw Examples.
            transform_graph: transform graph with the item vocabulary.
            settings: parameters of the rules.
            metric: metric of the valid split that decides between parameters.
            split: split to count on.
            recommend: what may be recommended.
            tuned_rules: rules whose parameters are taken.
            blocklist: items that are never recommended.
        """
        super().__init__(
            _SequentialRulesSpec(
                examples=examples,
                transform_graph=transform_graph,
                settings=(settings or SequentialRulesSettings()).model_dump_json(),
                metric=metric,
                split=split,
                recommend=(recommend or RecommendSettings()).model_dump_json(),
                tuned_rules=tuned_rules,
                blocklist=blocklist,
                rules=channel_utils.as_channel([SequentialRulesArtifact()]),
            )
        )
