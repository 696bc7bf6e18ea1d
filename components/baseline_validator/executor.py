"""Executor of BaselineValidator: ranks the evaluated split by the model and by the baselines, compares, blesses."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tfx import types
from tfx.components.evaluator import constants
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from components.baseline_validator.comparison import (
    CASER,
    NEIGHBOURS,
    POPULARITY,
    RULES,
    SERVED,
    HeldOutItems,
    compare,
)
from components.baseline_validator.result import BaselineValidation, write_result
from components.evaluator.settings import EvaluatorSettings
from components.example_gen.raw_examples import parse_raw_examples, read_split
from components.export import signatures
from components.features import ITEM_VOCABULARY, UNKNOWN
from components.neighbours.artifact import read_result as read_neighbours
from components.ranking.evaluation import Ranking, rank_users
from components.ranking.metrics import MAX_K, concatenate_padded
from components.ranking.ranks import users_per_batch
from components.sequential_rules.artifact import read_choice, read_rules
from components.sequential_rules.scorer import RuleScorer, ranking_scores
from components.sequential_rules.tables import RuleTables
from components.transform.encoded_users import encode_users
from components.transform.vocabulary import Vocabulary

_COUNTED_USERS = 10_000

# Prefixes of the outputs of `evaluate`.
_PARTS = {SERVED: "", CASER: signatures.CASER, POPULARITY: signatures.POPULARITY}


def model_rankings(model_dir: str, serialized: np.ndarray, n_items: int) -> dict[str, Ranking]:
    """Ranks held-out items by the signature `evaluate` of an exported model.

    Args:
        model_dir: directory of the SavedModel.
        serialized: bytes [U], raw Examples.
        n_items: number of items in the catalogue.

    Returns:
        The rankings of what is served, of Caser alone, and of popularity, by name.
    """
    if not len(serialized):
        return dict.fromkeys(_PARTS, Ranking(np.zeros([0, 1], np.int64), np.zeros([0, MAX_K], np.int64)))
    evaluate = tf.saved_model.load(model_dir).signatures[signatures.EVALUATE]
    size = users_per_batch(n_items)
    batches = [
        evaluate(examples=tf.constant(serialized[start : start + size].tolist(), tf.string))
        for start in range(0, len(serialized), size)
    ]
    return {
        name: Ranking(
            *(
                concatenate_padded([batch[prefix + output].numpy() for batch in batches])
                for output in (signatures.RANKS, signatures.TOP_ITEMS)
            )
        )
        for name, prefix in _PARTS.items()
    }


def rules_ranking(tables: RuleTables, serialized: np.ndarray, items: Vocabulary) -> Ranking:
    """Ranks held-out items by the sequential rules alone.

    Args:
        tables: the rules.
        serialized: bytes [U], raw Examples.
        items: the item vocabulary.
    """
    scorer = RuleScorer(tables)
    score = tf.function(lambda history: ranking_scores(scorer.evidence(history)), reduce_retracing=True)
    return rank_users(lambda users: score(users.history), encode_users(serialized, items), items.size)


def count_held_out(serialized: np.ndarray, items: Vocabulary) -> HeldOutItems:
    """Counts distinct held-out items, and those that cannot be recommended.

    Args:
        serialized: bytes [U], raw Examples.
        items: the item vocabulary.
    """
    total = seen = unknown = 0
    for start in range(0, len(serialized), _COUNTED_USERS):
        users = parse_raw_examples(tf.constant(serialized[start : start + _COUNTED_USERS].tolist(), tf.string))
        known = items.ids(users.holdout).to_list()
        for history, held_out, ids in zip(users.item_ids.to_list(), users.holdout.to_list(), known, strict=True):
            id_of = dict(zip(held_out, ids, strict=True))
            before = set(history)
            total += len(id_of)
            seen += sum(item in before for item in id_of)
            unknown += sum(item not in before and id_ == UNKNOWN for item, id_ in id_of.items())
    return HeldOutItems(total, seen, unknown)


class Executor(base_executor.BaseExecutor):
    """Writes `baseline_validation.json` and the blessing."""

    def Do(  # noqa: N802 -- named by TFX
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Compares and blesses the model."""
        transform = tft.TFTransformOutput(artifact_utils.get_single_uri(input_dict["transform_graph"]))
        items = Vocabulary.from_transform(transform, ITEM_VOCABULARY)
        model = artifact_utils.get_single_instance(input_dict["model"])
        serialized = read_split(artifact_utils.get_split_uri(input_dict["examples"], exec_properties["split"]))
        model_dir = path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model))
        rankings, notes = model_rankings(model_dir, serialized, items.size), dict[str, str]()
        if input_dict.get("rules"):
            uri = artifact_utils.get_single_uri(input_dict["rules"])
            tables = read_rules(uri)
            if tables is None:
                notes[RULES] = read_choice(uri).note
            elif len(serialized):
                rankings[RULES] = rules_ranking(tables, serialized, items)
        if input_dict.get("neighbours"):
            choice, ranking = read_neighbours(artifact_utils.get_single_uri(input_dict["neighbours"]))
            if ranking is None:
                notes[NEIGHBOURS] = choice.note
            else:
                rankings[NEIGHBOURS] = ranking
        settings = EvaluatorSettings.model_validate_json(exec_properties["settings"])
        comparison = compare(rankings, items.size, settings, count_held_out(serialized, items))
        write_result(artifact_utils.get_single_uri(output_dict["validation"]), BaselineValidation(comparison, notes))
        _bless(artifact_utils.get_single_instance(output_dict["blessing"]), model, comparison.blessed)


def _bless(blessing: types.Artifact, model: types.Artifact, blessed: bool) -> None:
    """Marks the blessing as TFX's Evaluator does."""
    name = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    io_utils.write_string_file(os.path.join(blessing.uri, name), "")
    blessing.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_BLESSED_KEY,
        constants.BLESSED_VALUE if blessed else constants.NOT_BLESSED_VALUE,
    )
    blessing.set_string_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri)
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
