"""Executor of BaselineValidator: ranks the evaluated split by the model and by the baselines, compares, blesses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.baseline_validator.comparison import (
    CASER,
    NEIGHBOURS,
    POPULARITY,
    RULES,
    SERVED,
    HeldOutItems,
    RunningComparison,
)
from components.baseline_validator.result import BaselineValidation, write_result
from components.blessing import bless
from components.evaluator.settings import EvaluatorSettings
from components.example_gen.raw_examples import parse_raw_examples, read_split
from components.export import signatures
from components.features import ITEM_VOCABULARY, TRAIN, UNKNOWN
from components.items_gen.blocklist import recommendable_of
from components.neighbours.artifact import read_result as read_neighbours
from components.ranking.beyond_accuracy import Popularity
from components.ranking.evaluation import Ranking, rank_users
from components.ranking.ranks import users_per_batch
from components.ranking.recommendable import Recommendable
from components.sequential_rules.artifact import read_choice, read_rules
from components.sequential_rules.scorer import RuleScorer, ranking_scores
from components.sequential_rules.tables import RuleTables
from components.transform.encoded_users import EncodedUsers, encode_users, read_users
from components.transform.sequences import Sequences
from components.transform.vocabulary import Vocabulary

# Prefixes of the outputs of `evaluate`.
_PARTS = {SERVED: "", CASER: signatures.CASER, POPULARITY: signatures.POPULARITY}


# Ranks the users of serialized raw Examples, string [B].
Ranker = Callable[[tf.Tensor], dict[str, Ranking]]


def model_ranker(model_dir: str, with_rules: bool = False) -> Ranker:
    """Ranks by the signature `evaluate` of an exported model: what is served, Caser alone, and popularity.

    Args:
        model_dir: directory of the SavedModel.
        with_rules: whether to rank by the sequential rules in the model, too.
    """
    model = tf.saved_model.load(model_dir)
    parts = _PARTS | ({RULES: signatures.SEQUENTIAL_RULES} if with_rules else {})

    def rank(serialized: tf.Tensor) -> dict[str, Ranking]:
        outputs = model.signatures[signatures.EVALUATE](examples=serialized)
        return {
            name: Ranking(outputs[prefix + signatures.RANKS].numpy(), outputs[prefix + signatures.TOP_ITEMS].numpy())
            for name, prefix in parts.items()
        }

    return rank


def rules_ranker(tables: RuleTables, items: Vocabulary, recommendable: Recommendable) -> Ranker:
    """Ranks by the sequential rules alone.

    Args:
        tables: the rules.
        items: the item vocabulary.
        recommendable: which items may be recommended.
    """
    scorer = RuleScorer(tables)
    score = tf.function(lambda history: ranking_scores(scorer.evidence(history)), reduce_retracing=True)

    def rank(serialized: tf.Tensor) -> dict[str, Ranking]:
        users = encode_users(serialized, items, recommendable)
        return {RULES: Ranking.concatenate(list(rank_users(lambda batch: score(batch.history), users, items.size)))}

    return rank


def neighbours_ranker(ranking: Ranking) -> Ranker:
    """Hands out the ranks of the baseline, which are in the order of the split.

    Args:
        ranking: of all users.
    """
    start = 0

    def rank(serialized: tf.Tensor) -> dict[str, Ranking]:
        nonlocal start
        rows = slice(start, start + len(serialized))
        start = rows.stop
        return {NEIGHBOURS: Ranking(ranking.ranks[rows], ranking.top_items[rows])}

    return rank


def popularity_of(train: EncodedUsers | None, n_items: int) -> Popularity:
    """Counts the interactions of the train split by item.

    Args:
        train: its users; None if it is empty.
        n_items: number of items in the catalogue.
    """
    histories = (Sequences.of(batch.history) for batch in (train.batches() if train else ()))
    return Popularity.of(((part.rows(), part.item) for part in histories), n_items)


def count_held_out(serialized: tf.Tensor, items: Vocabulary, recommendable: Recommendable) -> HeldOutItems:
    """Counts distinct held-out items, and those that cannot be recommended.

    Args:
        serialized: string [B], raw Examples.
        items: the item vocabulary.
        recommendable: which items may be recommended.
    """
    total = seen = unknown = blocked = 0
    never = set() if recommendable.blocked is None else set(recommendable.blocked.tolist())
    users = parse_raw_examples(serialized)
    known = items.ids(users.holdout).to_list()
    for history, held_out, ids in zip(users.item_ids.to_list(), users.holdout.to_list(), known, strict=True):
        id_of = dict(zip(held_out, ids, strict=True))
        before = set(history) if recommendable.exclude_seen else set()
        total += len(id_of)
        seen += sum(item in before for item in id_of)
        unknown += sum(item not in before and id_ == UNKNOWN for item, id_ in id_of.items())
        blocked += sum(item not in before and id_ in never for item, id_ in id_of.items())
    return HeldOutItems(total, seen, unknown, blocked)


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
        model_dir = path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model))
        recommendable = recommendable_of(exec_properties, input_dict, items)
        rankers, notes = [model_ranker(model_dir)], dict[str, str]()
        if input_dict.get("rules"):
            uri = artifact_utils.get_single_uri(input_dict["rules"])
            tables = read_rules(uri)
            if tables is None:
                notes[RULES] = read_choice(uri).note
            else:
                rankers.append(rules_ranker(tables, items, recommendable))
        if input_dict.get("neighbours"):
            choice, ranking = read_neighbours(artifact_utils.get_single_uri(input_dict["neighbours"]))
            if ranking is None:
                notes[NEIGHBOURS] = choice.note
            else:
                rankers.append(neighbours_ranker(ranking))
        split = artifact_utils.get_split_uri(input_dict["examples"], exec_properties["split"])
        popularity = popularity_of(read_users(input_dict["examples"], TRAIN, items), items.size)
        settings = EvaluatorSettings.model_validate_json(exec_properties["settings"])
        running = RunningComparison(items.size, settings, popularity)
        for serialized in read_split(split).batch(users_per_batch(items.size)):
            rankings = {name: ranking for rank in rankers for name, ranking in rank(serialized).items()}
            running.add(rankings, count_held_out(serialized, items, recommendable))
        comparison = running.result()
        write_result(artifact_utils.get_single_uri(output_dict["validation"]), BaselineValidation(comparison, notes))
        bless(
            artifact_utils.get_single_instance(output_dict["blessing"]), comparison.blessed, model, "BaselineValidator"
        )
