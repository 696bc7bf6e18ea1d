"""Collects the results of a finished run from its artifacts, so that reused nodes are included."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from ml_metadata.proto import metadata_store_pb2
from tfx.utils import io_utils

from components.baseline_validator.comparison import CASER as CASER_ALONE
from components.baseline_validator.comparison import NEIGHBOURS, RULES, SERVED, Comparison
from components.baseline_validator.comparison import POPULARITY as POPULAR
from components.baseline_validator.executor import popularity_of
from components.baseline_validator.result import read_result as read_validation
from components.drift_validator.result import DriftValidation
from components.evaluator.results import Evaluation, read_evaluation
from components.evaluator.tfma_metrics import USERS
from components.example_gen.counts import COUNTS_FILE
from components.example_gen.raw_examples import parse_raw_examples, read_split
from components.export.encoding import encoded_examples
from components.export.model_info import MODEL_CARD_FILE, read_model_info, vocabulary_file
from components.export.signatures import (
    CASER,
    ITEMS,
    POPULARITY,
    SCORES,
    SERVE_TF_EXAMPLE,
    Predictions,
    PredictRequests,
)
from components.features import ITEM_VOCABULARY, TRAIN
from components.files import read_lines
from components.items_gen.artifact import read_titles
from components.pusher.executor import PUSHED_VERSION
from components.pusher.object_store import is_object_store
from components.refit_validator.checks import RefitValidation
from components.sequential_rules.artifact import read_rules
from components.trainer.run_fn import HISTORY_FILE
from components.transform.encoded_users import EncodedUsers
from components.transform.vocabulary import Vocabulary
from pipeline.config.config import Config
from pipeline.pipeline import PIPELINE_NAME
from pipeline.results.metadata import last_outputs
from pipeline.results.sampled_users import explore
from pipeline.results.summary import Check, Example, Metrics, RunSummary
from pipeline.results.tuning import read_tuning
from pipeline.results.warnings import warnings
from pipeline.sample.oracle import oracle_metrics

_EXAMPLES, _HISTORY_ITEMS, _RECOMMENDED_ITEMS, _LISTED = 6, 6, 8, 3


class HeldOut(NamedTuple):
    """Users of the evaluated split as text: per user the id, the history and the held-out items."""

    users: list[str]
    histories: list[list[str]]
    items: list[list[str]]

    @classmethod
    def parse(cls, examples: Sequence[bytes]) -> HeldOut:
        """Parses serialized raw Examples."""
        parsed = parse_raw_examples(tf.constant(examples, tf.string))
        users = [user.decode(errors="replace") for user in parsed.user_id.numpy()]
        return cls(users, _texts(parsed.item_ids), _texts(parsed.holdout))


def collect_summary(
    config: Config, output: Path, seconds: Mapping[str, float], states: Mapping[str, str], is_sample: bool
) -> RunSummary:
    """Reads the artifacts of the last run.

    Args:
        config: configuration of the run.
        output: directory with the database of the run.
        seconds: seconds per node.
        states: state per node.
        is_sample: whether the data is the built-in sample, which has a known ceiling.

    Returns:
        The results.
    """
    outputs = last_outputs(output / "metadata.sqlite", PIPELINE_NAME)
    artifacts = {key: artifact.uri for key, artifact in outputs.items()}
    examples = artifacts["InteractionExampleGen", "examples"]
    model_run = artifacts["CaserTrainer", "model_run"]
    if not is_object_store(model_run):
        _link(output / "tensorboard", Path(model_run) / "tensorboard")
    split = os.path.join(examples, f"Split-{config.split.evaluated}")
    model_dir = os.path.join(artifacts["CaserTrainer", "model"], "Format-Serving")
    model = tf.saved_model.load(model_dir)
    evaluation = read_evaluation(artifacts["Evaluator", "evaluation"], config.evaluator)
    validation = read_validation(artifacts["BaselineValidator", "validation"])
    compared = validation.comparison
    sample = _recommendations(model, HeldOut.parse(_spread(split, _EXAMPLES)))
    catalogue = read_lines(vocabulary_file(model_dir, ITEM_VOCABULARY))
    titles = read_titles(uri) if (uri := artifacts.get(("Items", "items"))) else None
    explorer = None
    if config.report.users:
        train = EncodedUsers(
            read_split(os.path.join(examples, f"Split-{TRAIN}")),
            Vocabulary(vocabulary_file(model_dir, ITEM_VOCABULARY), len(catalogue)),
        )
        interactions = popularity_of(train, len(catalogue)).of_interactions
        rules = read_rules(artifacts["SequentialRules", "rules"]) if config.sequential_rules.enabled else None
        decay = rules.history_decay if rules else 0.0
        explorer = explore(model, _spread(split, config.report.users), catalogue, interactions, decay)
    counts = json.loads(io_utils.read_string_file(os.path.join(examples, COUNTS_FILE)))
    held_out_counts = {**compared.held_out._asdict(), "reachable": compared.held_out.reachable}
    return RunSummary(
        test=_metrics(evaluation.parts[""], compared.metrics.get(SERVED)),
        caser=_metrics(evaluation.parts.get(CASER, {}), compared.metrics.get(CASER_ALONE)),
        popularity=_metrics(evaluation.parts.get(POPULARITY, {}), compared.metrics.get(POPULAR)),
        sequential_rules=compared.metrics.get(RULES),
        neighbours=compared.metrics.get(NEIGHBOURS),
        notes=_notes(config, validation.notes),
        intervals=compared.intervals,
        rule_weight=read_model_info(model_dir)["rule_weight"],
        slices=evaluation.slices,
        blessed=evaluation.blessed and compared.blessed,
        blessing_reason=_reason(evaluation, compared),
        checks=_checks(artifacts),
        unseen_items=0 if config.refit.enabled else counts["new_items"],
        warnings=[*warnings(config, counts, compared), *_without_title(titles, catalogue)],
        pushed_version=_pushed_version(outputs),
        counts={**counts, "evaluated_users": int(evaluation.parts[""][USERS]), "held_out": held_out_counts},
        seconds=dict(seconds),
        states=dict(states),
        ceiling=oracle_metrics(*HeldOut.parse(_spread(split))) if is_sample and config.recommend.exclude_seen else None,
        history=json.loads(io_utils.read_string_file(os.path.join(model_run, HISTORY_FILE))),
        tuning=read_tuning(outputs),
        examples=sample,
        model_card=_model_card(outputs),
        explorer=explorer,
        titles={item: title for item, title in (titles or {}).items() if title},
    )


def _metrics(evaluated: Mapping[str, float], compared: Mapping[str, float] | None) -> Metrics:
    """Metrics of the Evaluator, and those that only BaselineValidator has; without the number of users, a count."""
    return {**(compared or {}), **{name: value for name, value in evaluated.items() if name != USERS}}


def _notes(config: Config, skipped: Mapping[str, str]) -> dict[str, str]:
    """Why baselines were not evaluated."""
    enabled = {RULES: config.sequential_rules.enabled, NEIGHBOURS: config.neighbours.enabled}
    disabled = {name: f"disabled by {name}.enabled" for name, is_enabled in enabled.items() if not is_enabled}
    return {**disabled, **skipped}


def _reason(evaluation: Evaluation, compared: Comparison) -> str:
    """Why the model is blessed or not, by both nodes that decide."""
    if evaluation.blessed == compared.blessed:
        return f"{evaluation.reason}; {compared.reason}"
    return compared.reason if evaluation.blessed else evaluation.reason


def _checks(artifacts: Mapping[tuple[str, str], str]) -> list[Check]:
    """What the nodes besides the blessing say about pushing the model."""
    checks = []
    if uri := artifacts.get(("DriftValidator", "validation")):
        drift = DriftValidation.read(uri)
        values = {name.replace(" ", "_"): measurement.value for name, measurement in drift.measurements.items()}
        checks.append(Check("drift", drift.blessed, drift.reason, values, drift.hint))
    if uri := artifacts.get(("RefitValidator", "validation")):
        refit = RefitValidation.read(uri)
        others = {name: value for name, value in refit._asdict().items() if name not in ("blessed", "reason")}
        checks.append(Check("refit", refit.blessed, refit.reason, others))
    return checks


def _pushed_version(outputs: Mapping[tuple[str, str], metadata_store_pb2.Artifact]) -> str | None:
    pushed = outputs.get(("CaserPusher", "pushed_model"))
    return pushed.custom_properties[PUSHED_VERSION].string_value or None if pushed else None


def _model_card(outputs: Mapping[tuple[str, str], metadata_store_pb2.Artifact]) -> str:
    """Of the pushed version; "" if there is none, or if a server's owner has removed it."""
    pushed = outputs.get(("CaserPusher", "pushed_model"))
    file = os.path.join(pushed.uri, MODEL_CARD_FILE) if pushed else ""
    return io_utils.read_string_file(file) if file and tf.io.gfile.exists(file) else ""


def _recommendations(model: Any, held_out: HeldOut) -> list[Example]:
    requests = PredictRequests(held_out.users, held_out.histories, [[] for _ in held_out.users])
    examples = encoded_examples(requests)
    outputs = model.signatures[SERVE_TF_EXAMPLE](examples=tf.constant(examples, tf.string))
    predictions = Predictions.from_arrays(outputs[ITEMS].numpy(), outputs[SCORES].numpy())
    return [
        Example(
            user, history[-_HISTORY_ITEMS:], [item for item in recommended if item][:_RECOMMENDED_ITEMS], held_out_items
        )
        for user, history, held_out_items, recommended in zip(*held_out, predictions.item_ids, strict=True)
    ]


def _without_title(titles: Mapping[str, str | None] | None, catalogue: Sequence[str]) -> list[str]:
    """A note if items of the catalogue are not in the items file."""
    missing = [item for item in catalogue if item not in titles] if titles is not None else []
    if not missing:
        return []
    return [
        f"{len(missing):,} of {len(catalogue):,} items of the train split are not in `data.items`, such as "
        f"{', '.join(missing[:_LISTED])}"
    ]


def _spread(uri: str, most: int | None = None) -> list[bytes]:
    """Serialized users of a split, at most `most`, spread evenly; None: all."""
    serialized = read_split(uri)
    count = sum(1 for _ in serialized)
    chosen = {int(row) for row in np.linspace(0, count - 1, min(most or count, count))}
    return [text for row, text in enumerate(serialized.as_numpy_iterator()) if row in chosen]


def _texts(ragged: tf.RaggedTensor) -> list[list[str]]:
    return [[item.decode(errors="replace") for item in items] for items in ragged.to_list()]


def _link(link: Path, target: Path) -> None:
    """Points `link` atomically at the TensorBoard events of the last run."""
    part = link.with_name(f".{link.name}.part")
    part.unlink(missing_ok=True)
    part.symlink_to(os.path.relpath(target, link.parent), target_is_directory=True)
    os.replace(part, link)
