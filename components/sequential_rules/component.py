"""The counting baseline as a node: counts on the train split, ranks what was held out, leaves metrics."""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

import tensorflow as tf
import tensorflow_transform as tft
from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, channel_utils, component_spec, standard_artifacts
from tfx.utils import io_utils

from components.example_gen.raw_examples import RawExamples, parse_raw_examples
from components.features import FIRST_ID, ITEM_VOCABULARY, MAX_K, TEST, TRAIN
from components.ranking.metrics import all_metrics, stacked
from components.ranking.ranks import held_out_ranks, top_items, users_per_batch
from components.sequential_rules.rules import Sequences, bytes_needed, count, scores
from components.settings import MarkovSettings
from components.trainer.validation import read_raw_examples
from components.transform.vocabulary import Vocabulary
from components.transform.windows import known_items

MARKOV_FILE = "markov.json"


class MarkovResult(NamedTuple):
    """What the node leaves: metrics by name, or None and why not."""

    metrics: dict[str, float] | None
    note: str = ""


def read_markov(uri: str) -> MarkovResult:
    """Reads what `MarkovBaseline` left at the `uri` of its artifact."""
    return MarkovResult(**json.loads(io_utils.read_string_file(os.path.join(uri, MARKOV_FILE))))


def evaluate(train: RawExamples, held_out: RawExamples, items: Vocabulary, settings: MarkovSettings) -> MarkovResult:
    """Counts and ranks.

    Args:
        train: all users of the train split.
        held_out: all users of the split that is evaluated.
        items: the item vocabulary.
        settings: of the baseline.

    Returns:
        The metrics of `components.ranking.metrics`, or a note where the counts could need more memory than allowed.
    """
    histories = _sequences(known_items(items.ids(train.item_ids)))
    needed = bytes_needed(histories, items.size, settings) / 1e9
    if needed > settings.max_memory_gb:
        return MarkovResult(
            None, f"skipped: it could need {needed:.1f} GB, and markov.max_memory_gb is {settings.max_memory_gb:g}"
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
    return MarkovResult(all_metrics(stacked(ranks), stacked(best), items.size))


def _sequences(ids: tf.RaggedTensor) -> Sequences:
    return Sequences(ids.flat_values.numpy() - FIRST_ID, ids.row_splits.numpy())


class _Executor(base_executor.BaseExecutor):
    """Reads the artifacts, and writes the result."""

    def Do(  # noqa: N802 -- named by TFX
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See `MarkovBaseline`."""
        transform = tft.TFTransformOutput(artifact_utils.get_single_uri(input_dict["transform_graph"]))
        result = evaluate(
            _read(input_dict["examples"], TRAIN),
            _read(input_dict["examples"], exec_properties["split"]),
            Vocabulary.from_transform(transform, ITEM_VOCABULARY),
            MarkovSettings.model_validate_json(exec_properties["settings"]),
        )
        file = os.path.join(artifact_utils.get_single_uri(output_dict["evaluation"]), MARKOV_FILE)
        io_utils.write_string_file(file, json.dumps(result._asdict(), indent=1))


def _read(examples: list[types.Artifact], split: str) -> RawExamples:
    files = tf.io.gfile.glob(io_utils.all_files_pattern(artifact_utils.get_split_uri(examples, split)))
    return parse_raw_examples(tf.constant(read_raw_examples(files).tolist(), tf.string))


class _MarkovBaselineSpec(component_spec.ComponentSpec):
    PARAMETERS = {
        "settings": component_spec.ExecutionParameter(type=str),
        "split": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
    }
    OUTPUTS = {"evaluation": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation)}


class MarkovBaseline(base_component.BaseComponent):
    """How far counting gets on the rows that the model is evaluated on (see `components.sequential_rules.rules`).

    Inputs:
        examples: raw, from `InteractionExampleGen`; counted on `train`, evaluated on `split`.
        transform_graph: from Transform; holds the item vocabulary.

    Outputs:
        evaluation: `markov.json`, the metrics of `components.ranking.metrics`, or a note why there are none.
    """

    SPEC_CLASS = _MarkovBaselineSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(_Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        settings: MarkovSettings | None = None,
        split: str = TEST,
    ) -> None:
        """Declares the node.

        Args:
            examples: see the class.
            transform_graph: see the class.
            settings: how is counted.
            split: that is evaluated.
        """
        super().__init__(
            _MarkovBaselineSpec(
                examples=examples,
                transform_graph=transform_graph,
                settings=(settings or MarkovSettings()).model_dump_json(),
                split=split,
                evaluation=channel_utils.as_channel([standard_artifacts.ModelEvaluation()]),
            )
        )
