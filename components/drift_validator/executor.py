"""Executor of DriftValidator: measures, compares with thresholds, blesses."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tfx import types
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.blessing import bless
from components.drift_validator.drift import Unknown, measure
from components.drift_validator.result import NO_EARLIER_MODEL, NO_EARLIER_STATISTICS, DriftValidation
from components.drift_validator.settings import DriftSettings
from components.example_gen.raw_examples import parse_raw_examples, read_split
from components.export.model_info import read_model_info, vocabulary_file
from components.features import ALL, FIRST_ID, ITEM_VOCABULARY, USER_VOCABULARY
from components.transform.vocabulary import Vocabulary

_USERS, _BATCH = 100_000, 4096


class Executor(base_executor.BaseExecutor):
    """Writes `drift_validation.json` and the blessing."""

    def Do(  # noqa: N802 -- named by TFX
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Compares complete histories with those of the last blessed model's run, if there is one."""
        result = _validate(input_dict, DriftSettings.model_validate_json(exec_properties["settings"]))
        result.write(artifact_utils.get_single_uri(output_dict["validation"]))
        model = artifact_utils.get_single_instance(input_dict["model"])
        bless(artifact_utils.get_single_instance(output_dict["blessing"]), result.blessed, model, "DriftValidator")


def _validate(input_dict: dict[str, list[types.Artifact]], settings: DriftSettings) -> DriftValidation:
    models, earlier = input_dict.get("baseline_model"), input_dict.get("baseline_statistics")
    if not models:
        return DriftValidation({}, NO_EARLIER_MODEL)
    if not earlier or ALL not in artifact_utils.decode_split_names(earlier[0].split_names):
        return DriftValidation({}, NO_EARLIER_STATISTICS)
    now, then = (
        stats_artifact_utils.load_statistics(artifact_utils.get_single_instance(artifacts), ALL).proto()
        for artifacts in (input_dict["statistics"], earlier)
    )
    model = artifact_utils.get_single_instance(models)
    folder = path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model))
    unknown = unknown_to(folder, artifact_utils.get_split_uri(input_dict["examples"], ALL))
    return DriftValidation(measure(now, then, unknown, settings))


def unknown_to(model_dir: str, split: str) -> Unknown:
    """What a model does not know of a split, by at most 100,000 users.

    Args:
        model_dir: directory of the SavedModel, or its URI.
        split: directory of raw Examples.
    """
    info = read_model_info(model_dir)
    users, items = (
        Vocabulary(vocabulary_file(model_dir, name), info[name]) for name in (USER_VOCABULARY, ITEM_VOCABULARY)
    )
    serialized = read_split(split)
    count = int(serialized.reduce(tf.constant(0, tf.int64), lambda total, _: total + 1))
    seen = known = seen_users = known_users = 0
    for batch in serialized.shard(-(-max(count, 1) // _USERS), 0).batch(_BATCH):
        parsed = parse_raw_examples(batch)
        # The vocabulary has no users with a single interaction, see `preprocessing_fn`.
        several = tf.boolean_mask(parsed.user_id, parsed.item_ids.row_lengths() >= 2)
        seen_users, seen = seen_users + int(tf.size(several)), seen + int(tf.size(parsed.item_ids.flat_values))
        known_users += _known(several, users)
        known += _known(parsed.item_ids.flat_values, items)
    return Unknown(1 - known_users / max(seen_users, 1), 1 - known / max(seen, 1))


def _known(tokens: tf.Tensor, vocabulary: Vocabulary) -> int:
    return int(tf.reduce_sum(tf.cast(vocabulary.ids(tokens) >= FIRST_ID, tf.int64)))
