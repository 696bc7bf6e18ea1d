"""Executor of Neighbours: chooses the parameters and ranks the evaluated split."""

from __future__ import annotations

from typing import Any

import tensorflow_transform as tft
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components.features import ITEM_VOCABULARY, TRAIN, VALID
from components.items_gen.blocklist import recommendable_of
from components.neighbours.artifact import write_result
from components.neighbours.settings import NeighboursSettings
from components.neighbours.stan import Neighbourhood, bytes_needed, scores
from components.ranking.choice import Choice
from components.ranking.evaluation import Ranking, Scorer, Users, best_settings, rank_users
from components.transform.encoded_users import read_users
from components.transform.sequences import Sequences
from components.transform.vocabulary import Vocabulary


def evaluate(
    train: Users,
    valid: Users | None,
    held_out: Users,
    n_items: int,
    settings: NeighboursSettings,
    metric: str,
) -> tuple[Choice, Ranking | None]:
    """Ranks the held-out items of the evaluated split with the parameters that are best on the valid split.

    Args:
        train: users of the train split.
        valid: users of the valid split, or None.
        held_out: users of the evaluated split.
        n_items: number of items in the catalogue.
        settings: the configured parameters.
        metric: metric of the valid split, a key of `components.ranking.metrics`.

    Returns:
        How the baseline was evaluated, and its ranks: None if it would take too long or exceed the memory limit.
    """
    if train.users > settings.max_users:
        note = f"{train.users:,} users, more than neighbours.max_users={settings.max_users}"
        return Choice(f"skipped: {note}"), None
    histories = Sequences.of(train.sample(train.users).history)
    needed = bytes_needed(histories) / 1e9
    if needed > settings.max_memory_gb:
        note = f"could need {needed:.1f} GB, more than neighbours.max_memory_gb={settings.max_memory_gb:g}"
        return Choice(f"skipped: {note}"), None
    neighbourhood = Neighbourhood.of(histories, n_items)

    def scorer(candidate: NeighboursSettings) -> Scorer:
        return lambda users: scores(neighbourhood, Sequences.of(users.history), candidate)

    chosen, values = settings, list[float]()
    if valid is not None and settings.tune:
        chosen, values = best_settings(settings.candidates(), scorer, valid, n_items, metric)
    choice = Choice(settings=chosen.model_dump(), valid=values)
    return choice, Ranking.concatenate(list(rank_users(scorer(chosen), held_out, n_items)))


class Executor(base_executor.BaseExecutor):
    """Reads the artifacts and writes the ranks."""

    def Do(  # noqa: N802 -- named by TFX
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Evaluates the baseline."""
        transform = tft.TFTransformOutput(artifact_utils.get_single_uri(input_dict["transform_graph"]))
        items = Vocabulary.from_transform(transform, ITEM_VOCABULARY)
        recommendable = recommendable_of(exec_properties, input_dict, items)
        train, valid, held_out = (
            read_users(input_dict["examples"], split, items, recommendable)
            for split in (TRAIN, VALID, exec_properties["split"])
        )
        if train is None or held_out is None:
            result: tuple[Choice, Ranking | None] = (Choice("skipped: there are no users"), None)
        else:
            settings = NeighboursSettings.model_validate_json(exec_properties["settings"])
            result = evaluate(train, valid, held_out, items.size, settings, exec_properties["metric"])
        write_result(artifact_utils.get_single_uri(output_dict["evaluation"]), *result)
