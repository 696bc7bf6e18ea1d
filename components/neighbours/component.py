"""Neighbours: the neighbourhood baseline as a node."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, component_spec, standard_artifacts

from components.features import TEST
from components.items_gen.artifact import ItemsArtifact
from components.neighbours.executor import Executor
from components.neighbours.settings import NeighboursSettings
from components.ranking.settings import RecommendSettings


class _NeighboursSpec(component_spec.ComponentSpec):
    PARAMETERS = {
        "settings": component_spec.ExecutionParameter(type=str),
        "split": component_spec.ExecutionParameter(type=str),
        "metric": component_spec.ExecutionParameter(type=str),
        "recommend": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
        "blocklist": component_spec.ChannelParameter(type=ItemsArtifact, optional=True),
    }
    OUTPUTS = {"evaluation": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation)}


class Neighbours(base_component.BaseComponent):
    """Evaluates a neighbourhood method on the same users as the model (see `components.neighbours.stan`).

    Inputs:
        examples: raw Examples from `InteractionExampleGen`; neighbours are users of `train`, parameters are chosen on
            `valid`.
        transform_graph: from Transform, with the item vocabulary.
        blocklist: optional, from `ItemsGen`; its items are never recommended.

    Outputs:
        evaluation: ranks of the held-out items of `split`, or why the baseline was skipped.
    """

    SPEC_CLASS = _NeighboursSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        settings: NeighboursSettings | None = None,
        split: str = TEST,
        metric: str = "map",
        recommend: RecommendSettings | None = None,
        blocklist: types.BaseChannel | None = None,
    ) -> None:
        """Declares the node.

        Args:
            examples: raw Examples.
            transform_graph: transform graph with the item vocabulary.
            settings: parameters of the method.
            split: split to evaluate.
            metric: metric of the valid split that decides between parameters.
            recommend: what may be recommended.
            blocklist: items that are never recommended.
        """
        super().__init__(
            _NeighboursSpec(
                examples=examples,
                transform_graph=transform_graph,
                blocklist=blocklist,
                settings=(settings or NeighboursSettings()).model_dump_json(),
                split=split,
                metric=metric,
                recommend=(recommend or RecommendSettings()).model_dump_json(),
                evaluation=channel_utils.as_channel([standard_artifacts.ModelEvaluation()]),
            )
        )
