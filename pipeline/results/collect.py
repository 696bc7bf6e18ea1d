"""Gathers what a finished run found, out of its artifacts: so it is right for reused nodes too."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from ml_metadata.proto import metadata_store_pb2

from components.evaluator.results import read_evaluation
from components.evaluator.tfma_metrics import USERS
from components.example_gen.counts import COUNTS_FILE
from components.example_gen.raw_examples import parse_raw_examples
from components.export.signatures import SERVING
from components.pusher.executor import PUSHED_VERSION
from components.sequential_rules.result import SequentialRulesResult, read_result
from components.trainer.run_fn import HISTORY_FILE
from pipeline.config.config import Config
from pipeline.pipeline import PIPELINE_NAME
from pipeline.results.metadata import newest_outputs
from pipeline.results.summary import Example, Metrics, Slice, Summary
from pipeline.sample.oracle import ceiling

_EXAMPLES, _SHOWN_HISTORY, _SHOWN_ITEMS = 6, 6, 8


class HeldOut:
    """The split that was evaluated: per user the id, the history before, and what was held out, all as text."""

    def __init__(self, folder: Path) -> None:
        """Reads all of it.

        Args:
            folder: of the split; gzipped TFRecords of raw Examples.
        """
        files = sorted(str(file) for file in folder.iterdir() if file.is_file())
        serialized = sorted(tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator())
        parsed = parse_raw_examples(tf.constant(serialized))
        self.users = [user.decode(errors="replace") for user in parsed.user_id.numpy()]
        self.histories = _texts(parsed.item_ids)
        self.held_out = _texts(parsed.holdout)


def gather(
    config: Config, output: Path, seconds: Mapping[str, float], states: Mapping[str, str], is_sample: bool
) -> Summary:
    """Reads the artifacts of the newest run.

    Args:
        config: of the run.
        output: of the run.
        seconds: per node.
        states: per node.
        is_sample: whether the data are the built-in sample, whose ceiling is known.

    Returns:
        The summary.
    """
    outputs = newest_outputs(output / "metadata.sqlite", PIPELINE_NAME)
    artifacts = {key: Path(artifact.uri) for key, artifact in outputs.items()}
    examples = artifacts["InteractionExampleGen", "examples"]
    model_run = artifacts["CaserTrainer", "model_run"]
    _link(output / "tensorboard", model_run / "tensorboard")
    held_out = HeldOut(examples / f"Split-{config.split.evaluated}")
    model = artifacts["CaserTrainer", "model"] / "Format-Serving"
    evaluation = read_evaluation(str(artifacts["Evaluator", "evaluation"]), config.evaluator)
    sequential_rules = _sequential_rules(outputs)
    counts = json.loads((examples / COUNTS_FILE).read_text(encoding="utf-8"))
    return Summary(
        test=_without_users(evaluation.model),
        popularity=_without_users(evaluation.popularity),
        sequential_rules=sequential_rules.metrics,
        sequential_rules_note=sequential_rules.note,
        slices=[Slice(*part) for part in evaluation.slices],
        blessed=evaluation.blessed,
        blessing_reason=evaluation.reason,
        pushed_version=_pushed_version(outputs),
        counts={**counts, "evaluated_users": int(evaluation.model[USERS])},
        seconds=dict(seconds),
        states=dict(states),
        ceiling=ceiling(held_out.users, held_out.histories, held_out.held_out) if is_sample else None,
        history=json.loads((model_run / HISTORY_FILE).read_text(encoding="utf-8")),
        examples=_recommendations(model, held_out),
    )


def _without_users(values: Mapping[str, float]) -> Metrics:
    """TFMA carries the number of users along, which is a count and no metric."""
    return {name: value for name, value in values.items() if name != USERS}


def _sequential_rules(outputs: Mapping[tuple[str, str], metadata_store_pb2.Artifact]) -> SequentialRulesResult:
    evaluation = outputs.get(("SequentialRules", "evaluation"))
    return (
        read_result(evaluation.uri)
        if evaluation
        else SequentialRulesResult(None, "switched off by sequential_rules.enabled")
    )


def _pushed_version(outputs: Mapping[tuple[str, str], metadata_store_pb2.Artifact]) -> str | None:
    pushed = outputs.get(("CaserPusher", "pushed_model"))
    return pushed.custom_properties[PUSHED_VERSION].string_value or None if pushed else None


def _recommendations(model: Path, held_out: HeldOut) -> list[Example]:
    """Asks the model for a few users spread over the split."""
    count = len(held_out.users)
    rows = sorted({int(row) for row in np.linspace(0, count - 1, min(_EXAMPLES, count))})
    recent = tf.ragged.constant([held_out.histories[row] for row in rows], dtype=tf.string).to_tensor()
    answer = tf.saved_model.load(str(model)).signatures[SERVING](
        user_id=tf.constant([held_out.users[row] for row in rows]),
        recent_item_ids=recent,
        exclude_item_ids=tf.zeros([len(rows), 0], tf.string),
    )
    recommended = [[item.decode() for item in items if item] for items in answer["item_ids"].numpy()]
    return [
        Example(
            held_out.users[row],
            held_out.histories[row][-_SHOWN_HISTORY:],
            items[:_SHOWN_ITEMS],
            held_out.held_out[row],
        )
        for row, items in zip(rows, recommended, strict=True)
    ]


def _texts(ragged: tf.RaggedTensor) -> list[list[str]]:
    return [[item.decode(errors="replace") for item in items] for items in ragged.to_list()]


def _link(link: Path, target: Path) -> None:
    """Points `link` at the newest TensorBoard events, so that they are found without knowing TFX's folders."""
    part = link.with_name(f".{link.name}.part")
    part.unlink(missing_ok=True)
    part.symlink_to(os.path.relpath(target, link.parent), target_is_directory=True)
    os.replace(part, link)
