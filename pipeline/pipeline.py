"""The definition of the pipeline, in DAG order."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from typing import Any

from tfx import v1 as tfx
from tfx.orchestration.metadata import sqlite_metadata_connection_config

from components.baseline_validator.component import BaselineValidator
from components.batch_recommender.component import BatchRecommender
from components.drift_validator.baseline_resolver import LastBlessedRunStrategy
from components.drift_validator.component import DriftValidator
from components.evaluator.baseline_resolver import PreviousBlessedModelStrategy
from components.evaluator.config import eval_config
from components.example_gen.component import InteractionExampleGen
from components.example_gen.executor import RUN
from components.example_validator.component import HistoryValidator
from components.features import ALL, TRAIN
from components.items_gen.component import ItemsGen
from components.mlflow_tracker.component import MlflowTracker
from components.neighbours.component import Neighbours
from components.pusher.component import CaserPusher
from components.sequential_rules.component import SequentialRules
from components.trainer.component import CaserTrainer
from components.transform.component import HistoryTransform
from components.tuner.component import CaserTuner
from pipeline.config.config import Config, flat, to_yaml
from pipeline.config.report_settings import ReportSettings
from pipeline.refit_nodes import Evaluated, refit_nodes
from schemas import schema_path

PIPELINE_NAME = "caser"

# Beam's DirectRunner would first try to download Prism, and then fall back to this runner.
LOCAL_BEAM_ARGS = ("--runner=FnApiRunner", "--direct_running_mode=in_memory", "--direct_num_workers=1")
# Without an image, TFX packs itself for remote workers in every Beam node, which takes seconds. The local runner has no
# remote workers and ignores the name.
NO_REMOTE_WORKERS = "--sdk_container_image=none"


def create_pipeline(
    config: Config,
    data_path: str,
    output_dir: str,
    beam_args: Sequence[str] = (),
    shared: bool = False,
    local_dir: str | None = None,
    until: str | None = None,
) -> tfx.dsl.Pipeline:
    """Creates the pipeline.

    Args:
        config: all settings.
        data_path: interactions: file, glob pattern, or pattern with `{SPAN}`.
        output_dir: output directory, or URI in an object store.
        beam_args: Beam options of the data nodes; they override those for local runs.
        shared: whether concurrent runs share `output_dir`, as on a cluster: each run has its own quarantine directory,
            and the runner provides ML Metadata.
        local_dir: directory of the ML Metadata store; None: `output_dir`.
        until: the last node; None: all nodes.

    Returns:
        A pipeline for any TFX runner.
    """
    quarantine = os.path.join(output_dir, "quarantine")
    database = os.path.join(local_dir or output_dir, "metadata.sqlite")
    has_complete_histories = config.refit.enabled or config.drift.enabled or config.batch.enabled
    example_gen = InteractionExampleGen(
        path=data_path,
        data=config.data,
        histories=config.histories,
        split=config.split,
        quarantine_dir=os.path.join(quarantine, RUN) if shared else quarantine,
        complete_histories=has_complete_histories,
    )
    examples = example_gen.outputs["examples"]

    statistics_gen = tfx.components.StatisticsGen(
        examples=examples, exclude_splits=[ALL] if has_complete_histories and not config.drift.enabled else None
    )
    schema_gen = tfx.components.ImportSchemaGen(schema_file=schema_path("interactions"))
    validator = HistoryValidator(statistics=statistics_gen.outputs["statistics"], schema=schema_gen.outputs["schema"])

    transform = HistoryTransform.of_split(examples, schema_gen.outputs["schema"], TRAIN).with_id("Transform")
    transform.add_upstream_node(validator)

    nodes = [example_gen, statistics_gen, schema_gen, validator, transform]
    items_gen = blocklist_gen = None
    if config.data.items:
        items_gen = ItemsGen(config.data.items, config.data.item_column, config.data.encoding).with_id("Items")
        nodes.append(items_gen)
    if config.recommend.blocklist:
        blocklist_gen = ItemsGen(config.recommend.blocklist).with_id("Blocklist")
        nodes.append(blocklist_gen)
    blocklist = blocklist_gen.outputs["items"] if blocklist_gen else None
    rules = None
    if config.sequential_rules.enabled:
        sequential_rules = SequentialRules(
            examples=examples,
            transform_graph=transform.outputs["transform_graph"],
            settings=config.sequential_rules,
            metric=config.trainer.monitor,
            recommend=config.recommend,
            blocklist=blocklist,
        )
        rules = sequential_rules.outputs["rules"]
        nodes.append(sequential_rules)

    training: dict[str, Any] = {
        "blocklist": blocklist,
        "seed": config.seed,
        "windows": config.windows,
        "model": config.model,
        "trainer": config.trainer,
        "export": config.export,
        "recommend": config.recommend,
    }
    hyperparameters = None
    if config.tuner.enabled:
        tuner = CaserTuner(
            examples=transform.outputs["transformed_examples"],
            transform_graph=transform.outputs["transform_graph"],
            raw_examples=examples,
            rules=rules,
            directory=os.path.join(output_dir, "tuning"),
            settings=config.tuner,
            **training,
        )
        hyperparameters = tuner.outputs["best_hyperparameters"]
        nodes.append(tuner)

    base_model = None
    if config.trainer.warm_start:
        # Not from models of this data, so that a second run on it reuses the model of the first one.
        base_model = _last_blessed_model(transform.outputs["transformed_examples"]).with_id("BaseModel")
        nodes.append(base_model)
    trainer = CaserTrainer(
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        raw_examples=examples,
        rules=rules,
        base_model=base_model.outputs["model"] if base_model else None,
        hyperparameters=hyperparameters,
        **training,
    )
    last_blessed = _last_blessed_model(trainer.outputs["model"]).with_id("LastBlessedModel")
    evaluator = tfx.components.Evaluator(
        examples=examples,
        model=trainer.outputs["model"],
        baseline_model=last_blessed.outputs["model"],
        eval_config=eval_config(config.evaluator),
        example_splits=[config.split.evaluated],
    )
    nodes += [trainer, last_blessed, evaluator]

    neighbours = None
    if config.neighbours.enabled:
        neighbours = Neighbours(
            examples=examples,
            transform_graph=transform.outputs["transform_graph"],
            settings=config.neighbours,
            split=config.split.evaluated,
            metric=config.trainer.monitor,
            recommend=config.recommend,
            blocklist=blocklist,
        )
        nodes.append(neighbours)
    baseline_validator = BaselineValidator(
        model=trainer.outputs["model"],
        examples=examples,
        transform_graph=transform.outputs["transform_graph"],
        rules=rules,
        neighbours=neighbours.outputs["evaluation"] if neighbours else None,
        settings=config.evaluator,
        split=config.split.evaluated,
        recommend=config.recommend,
        blocklist=blocklist,
    )
    nodes.append(baseline_validator)

    drift_blessing = None
    if config.drift.enabled:
        last_run = _last_blessed_model(
            statistics_gen.outputs["statistics"],
            LastBlessedRunStrategy,
            statistics=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ExampleStatistics),
        ).with_id("LastBlessedRun")
        drift_validator = DriftValidator(
            model=trainer.outputs["model"],
            examples=examples,
            statistics=statistics_gen.outputs["statistics"],
            baseline_model=last_run.outputs["model"],
            baseline_statistics=last_run.outputs["statistics"],
            settings=config.drift,
        )
        drift_blessing = drift_validator.outputs["blessing"]
        nodes += [last_run, drift_validator]

    refit = None
    if config.refit.enabled:
        refit = refit_nodes(
            config,
            Evaluated(
                examples=examples,
                schema=schema_gen.outputs["schema"],
                rules=rules,
                base_model=base_model.outputs["model"] if base_model else None,
                hyperparameters=hyperparameters,
                blocklist=blocklist,
                model=trainer.outputs["model"],
                model_blessing=evaluator.outputs["blessing"],
                baseline_blessing=baseline_validator.outputs["blessing"],
                drift_blessing=drift_blessing,
            ),
        )
        nodes += refit.nodes
    served_model = refit.model if refit else trainer.outputs["model"]
    blessings: dict[str, Any] = {
        "model_blessing": evaluator.outputs["blessing"],
        "baseline_blessing": baseline_validator.outputs["blessing"],
        "drift_blessing": drift_blessing,
        "refit_blessing": refit.blessing if refit else None,
    }
    if config.batch.enabled:
        nodes.append(BatchRecommender(model=served_model, examples=examples, settings=config.batch, **blessings))
    pusher = None
    if config.pusher.enabled:
        pusher = CaserPusher(
            model=served_model,
            **blessings,
            serving_dir=os.path.join(output_dir, "serving"),
            evaluation=evaluator.outputs["evaluation"],
            validation=baseline_validator.outputs["validation"],
            examples=examples,
            items=items_gen.outputs["items"] if items_gen else None,
            pusher=config.pusher,
            split=config.split,
            config_digest=_digest(config),
        )
        nodes.append(pusher)
    if config.mlflow.tracking_uri:
        nodes.append(
            MlflowTracker(
                examples=examples,
                model_run=trainer.outputs["model_run"],
                validation=baseline_validator.outputs["validation"],
                **blessings,
                pushed_model=pusher.outputs["pushed_model"] if pusher else None,
                settings=config.mlflow,
                config=flat(config),
            )
        )

    return tfx.dsl.Pipeline(
        pipeline_name=PIPELINE_NAME,
        pipeline_root=os.path.join(output_dir, "pipeline"),
        components=nodes[: 1 + next((at for at, node in enumerate(nodes) if node.id == until), len(nodes))],
        enable_cache=True,
        metadata_connection_config=None if shared else sqlite_metadata_connection_config(database),
        beam_pipeline_args=[*LOCAL_BEAM_ARGS, *(beam_args or [NO_REMOTE_WORKERS])],
    )


def _digest(config: Config) -> str:
    """Digest of what makes the model and decides on it."""
    return hashlib.sha256(to_yaml(config.model_copy(update={"report": ReportSettings()})).encode()).hexdigest()


def _last_blessed_model(
    before: tfx.types.BaseChannel,
    strategy: type[PreviousBlessedModelStrategy | LastBlessedRunStrategy] = PreviousBlessedModelStrategy,
    **others: tfx.types.BaseChannel,
) -> tfx.dsl.Resolver:
    """Finds the last blessed model that is older than an artifact."""
    channels: dict[str, Any] = {
        "model": tfx.dsl.Channel(type=tfx.types.standard_artifacts.Model),
        "model_blessing": tfx.dsl.Channel(type=tfx.types.standard_artifacts.ModelBlessing),
        "candidate": before,
        **others,
    }
    return tfx.dsl.Resolver(strategy_class=strategy, **channels)
