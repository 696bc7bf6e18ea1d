"""The nodes that train a blessed model's configuration on all interactions."""

from __future__ import annotations

from typing import NamedTuple

from tfx import v1 as tfx
from tfx.dsl.components.base.base_node import BaseNode

from components.features import ALL
from components.refit_trainer.component import RefitTrainer
from components.refit_validator.component import RefitValidator
from components.sequential_rules.component import SequentialRules
from components.transform.component import HistoryTransform
from pipeline.config.config import Config

Channel = tfx.types.BaseChannel


class Evaluated(NamedTuple):
    """Outputs of the nodes that made and judged the evaluated model; None where there is no such node."""

    examples: Channel
    schema: Channel
    rules: Channel | None
    base_model: Channel | None
    hyperparameters: Channel | None
    blocklist: Channel | None
    model: Channel
    model_blessing: Channel
    baseline_blessing: Channel
    drift_blessing: Channel | None


class Refit(NamedTuple):
    """The nodes in DAG order, and their outputs."""

    nodes: list[BaseNode]
    model: Channel
    blessing: Channel


def refit_nodes(config: Config, evaluated: Evaluated) -> Refit:
    """Declares the nodes.

    Args:
        config: all settings.
        evaluated: what there is to be refitted.
    """
    transform = HistoryTransform.of_split(evaluated.examples, evaluated.schema, ALL).with_id("RefitTransform")
    nodes: list[BaseNode] = [transform]
    rules = None
    if evaluated.rules:
        counted = SequentialRules(
            examples=evaluated.examples,
            transform_graph=transform.outputs["transform_graph"],
            settings=config.sequential_rules,
            metric=config.trainer.monitor,
            split=ALL,
            recommend=config.recommend,
            tuned_rules=evaluated.rules,
        ).with_id("RefitSequentialRules")
        rules = counted.outputs["rules"]
        nodes.append(counted)
    trainer = RefitTrainer(
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        evaluated_model=evaluated.model,
        model_blessing=evaluated.model_blessing,
        baseline_blessing=evaluated.baseline_blessing,
        drift_blessing=evaluated.drift_blessing,
        raw_examples=evaluated.examples,
        rules=rules,
        base_model=evaluated.base_model,
        hyperparameters=evaluated.hyperparameters,
        blocklist=evaluated.blocklist,
        seed=config.seed,
        windows=config.windows,
        model=config.model,
        trainer=config.trainer,
        export=config.export,
        recommend=config.recommend,
    )
    validator = RefitValidator(
        model=trainer.outputs["model"],
        evaluated_model=evaluated.model,
        examples=evaluated.examples,
        settings=config.refit,
        split=config.split.evaluated,
    )
    return Refit([*nodes, trainer, validator], trainer.outputs["model"], validator.outputs["blessing"])
