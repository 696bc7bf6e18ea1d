"""Executor of SequentialRules: counts, ranks, writes."""

from __future__ import annotations

import json
import os
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils

from components.example_gen.raw_examples import RawExamples, parse_raw_examples, read_split
from components.features import FIRST_ID, ITEM_VOCABULARY, TRAIN
from components.ranking.metrics import MAX_K, all_metrics, concatenate_padded
from components.ranking.ranks import held_out_ranks, top_items, users_per_batch
from components.sequential_rules.result import RESULT_FILE, SequentialRulesResult
from components.sequential_rules.rules import Sequences, bytes_needed, count, scores
from components.sequential_rules.settings import SequentialRulesSettings
from components.transform.vocabulary import Vocabulary
from components.transform.windows import known_items


def evaluate(
    train: RawExamples, held_out: RawExamples, items: Vocabulary, settings: SequentialRulesSettings
) -> SequentialRulesResult:
    """Counts the rules and ranks the held-out items.

    Args:
        train: all users of the train split.
        held_out: all users of the evaluated split.
        items: the item vocabulary.
        settings: parameters of the rules.

    Returns:
        The metrics of `components.ranking.metrics`, or a note if the counts could exceed the memory limit.
    """
    histories = _sequences(known_items(items.ids(train.item_ids)))
    needed = bytes_needed(histories, items.size, settings) / 1e9
    if needed > settings.max_memory_gb:
        return SequentialRulesResult(
            None,
            f"skipped: could need {needed:.1f} GB, more than sequential_rules.max_memory_gb={settings.max_memory_gb:g}",
        )
    counts = count(histories, items.size, settings)
    before, after = known_items(items.ids(held_out.item_ids)), items.ids(held_out.holdout)
    batch = users_per_batch(items.size)
    ranks, best = [], []
    for start in range(0, before.nrows(), batch):
        users = slice(start, start + batch)
        scored = tf.constant(scores(counts, _sequences(before[users]), settings))
        seen = before[users].to_tensor()
        ranks.append(held_out_ranks(scored, seen, after[users].to_tensor())[0].numpy())
        best.append(top_items(scored, seen, MAX_K)[0].numpy())
    return SequentialRulesResult(all_metrics(concatenate_padded(ranks), concatenate_padded(best), items.size))


def _sequences(ids: tf.RaggedTensor) -> Sequences:
    return Sequences(ids.flat_values.numpy() - FIRST_ID, ids.row_splits.numpy())


class Executor(base_executor.BaseExecutor):
    """Reads the artifacts and writes `sequential_rules.json`."""

    def Do(  # noqa: N802 -- named by TFX
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Evaluates the baseline."""
        transform = tft.TFTransformOutput(artifact_utils.get_single_uri(input_dict["transform_graph"]))
        result = evaluate(
            _read(input_dict["examples"], TRAIN),
            _read(input_dict["examples"], exec_properties["split"]),
            Vocabulary.from_transform(transform, ITEM_VOCABULARY),
            SequentialRulesSettings.model_validate_json(exec_properties["settings"]),
        )
        file = os.path.join(artifact_utils.get_single_uri(output_dict["evaluation"]), RESULT_FILE)
        io_utils.write_string_file(file, json.dumps(result._asdict(), indent=1))


def _read(examples: list[types.Artifact], split: str) -> RawExamples:
    return parse_raw_examples(
        tf.constant(read_split(artifact_utils.get_split_uri(examples, split)).tolist(), tf.string)
    )
