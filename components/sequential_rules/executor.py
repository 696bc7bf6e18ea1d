"""Executor of SequentialRules: chooses the parameters, counts, keeps the strongest followers."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_transform as tft
from scipy import sparse
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components.errors import UserError
from components.features import ITEM_VOCABULARY, VALID
from components.items_gen.blocklist import recommendable_of
from components.ranking.choice import Choice
from components.ranking.evaluation import Scorer, Users, best_settings
from components.sequential_rules.artifact import read_choice, write_rules
from components.sequential_rules.rules import blocks, bytes_needed, count, discount, scores
from components.sequential_rules.settings import SequentialRulesSettings
from components.sequential_rules.tables import RuleTables, concatenate, strongest_followers
from components.transform.encoded_users import read_users
from components.transform.sequences import Sequences
from components.transform.vocabulary import Vocabulary

_USERS_AT_A_TIME = 4096
# Each block of items takes a pass over the train split.
_MAX_BLOCKS = 16


def make_rules(
    train: Users, valid: Users | None, n_items: int, settings: SequentialRulesSettings, metric: str
) -> tuple[Choice, RuleTables | None]:
    """Counts the rules with the parameters that are best on the valid split.

    Where counts of all items would exceed the memory limit, they are made for blocks of items, one after the other, and
    the parameters are chosen with the counts of a sample of the users.

    Args:
        train: users of the train split.
        valid: users of the valid split, or None.
        n_items: number of items in the catalogue.
        settings: the configured parameters.
        metric: metric of the valid split, a key of `components.ranking.metrics`.

    Returns:
        How the rules were made, and the rules: None if counting them within the memory limit would take too many
        passes over the train split.
    """
    frequency = _frequency(train, n_items)
    parts = blocks(frequency, settings)
    if len(parts) > _MAX_BLOCKS:
        needed = bytes_needed(frequency, settings).sum() / 1e9
        note = (
            f"could need {needed:,.1f} GB, more than {_MAX_BLOCKS} times "
            f"sequential_rules.max_memory_gb={settings.max_memory_gb:g}"
        )
        return Choice(f"skipped: {note}"), None
    chosen, values = settings, list[float]()
    if valid is not None and settings.tune:
        sample = train if len(parts) == 1 else train.sample(train.users // len(parts))
        chosen, values = _best_settings(sample, valid, n_items, settings, metric)
    # The chosen window may be shorter.
    tables = concatenate(
        strongest_followers(
            discount(count(_histories(train), n_items, chosen, part), frequency, chosen, part),
            chosen.max_followers,
            chosen.history,
            chosen.history_decay,
        )
        for part in blocks(frequency, chosen)
    )
    return Choice(settings=chosen.model_dump(), valid=values), tables


def _best_settings(
    train: Users, valid: Users, n_items: int, settings: SequentialRulesSettings, metric: str
) -> tuple[SequentialRulesSettings, list[float]]:
    """The best of the candidates on the valid split, and the metric of each."""
    frequency = _frequency(train, n_items)

    @functools.lru_cache(maxsize=1)
    def counts(window: int, window_decay: float) -> sparse.csr_matrix:
        return count(
            _histories(train), n_items, settings.model_copy(update={"window": window, "window_decay": window_decay})
        )

    def scorer(candidate: SequentialRulesSettings) -> Scorer:
        matrix = discount(counts(candidate.window, candidate.window_decay), frequency, candidate)
        return lambda users: scores(matrix, Sequences.of(users.history), candidate)

    return best_settings(settings.candidates(), scorer, valid, n_items, metric)


def _histories(users: Users) -> Iterator[Sequences]:
    return (Sequences.of(batch.history) for batch in users.batches(_USERS_AT_A_TIME))


def _frequency(users: Users, n_items: int) -> np.ndarray:
    """The number of interactions with each item: int64 [n_items]."""
    return sum((np.bincount(part.item, minlength=n_items) for part in _histories(users)), np.zeros(n_items, np.int64))


class Executor(base_executor.BaseExecutor):
    """Reads the artifacts and writes the rules."""

    def Do(  # noqa: N802 -- named by TFX
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Makes the rules."""
        transform = tft.TFTransformOutput(artifact_utils.get_single_uri(input_dict["transform_graph"]))
        items = Vocabulary.from_transform(transform, ITEM_VOCABULARY)
        split = exec_properties["split"]
        train = read_users(input_dict["examples"], split, items)
        if train is None:
            raise UserError(f"The {split} split is empty. Hint: provide more data, or relax `histories`.")
        settings = SequentialRulesSettings.model_validate_json(exec_properties["settings"])
        recommendable = recommendable_of(exec_properties, input_dict, items)
        valid = read_users(input_dict["examples"], VALID, items, recommendable)
        if input_dict.get("tuned_rules"):
            tuned = read_choice(artifact_utils.get_single_uri(input_dict["tuned_rules"]))
            if tuned.note:
                write_rules(artifact_utils.get_single_uri(output_dict["rules"]), tuned, None)
                return
            settings, valid = settings.model_copy(update=tuned.settings), None
        choice, tables = make_rules(train, valid, items.size, settings, exec_properties["metric"])
        write_rules(artifact_utils.get_single_uri(output_dict["rules"]), choice, tables)
