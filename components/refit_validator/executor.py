"""Executor of RefitValidator: compares the refitted model with the evaluated one, blesses."""

from __future__ import annotations

import os
from typing import Any

import tensorflow as tf
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.blessing import bless
from components.example_gen.raw_examples import read_split
from components.export.model_info import vocabulary_file
from components.features import ITEM_VOCABULARY
from components.refit_trainer.settings import RefitSettings
from components.refit_validator.checks import RefitValidation, compare, non_finite_weight, recommender

_USERS, _BATCH = 1024, 64
_NO_REFIT = "there was no refit, since the evaluated model is not blessed"


class Executor(base_executor.BaseExecutor):
    """Writes `refit_validation.json` and the blessing."""

    def Do(  # noqa: N802 -- named by TFX
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Compares and blesses the refitted model."""
        model = artifact_utils.get_single_instance(input_dict["model"])
        folders = [_folder(input_dict[name]) for name in ("evaluated_model", "model")]
        if not fileio.exists(os.path.join(folders[1], tf.saved_model.SAVED_MODEL_FILENAME_PB)):
            result = RefitValidation(False, _NO_REFIT)
        elif weight := non_finite_weight(folders[1]):
            result = RefitValidation(False, f"its {weight} has values that are not finite")
        else:
            split = artifact_utils.get_split_uri(input_dict["examples"], exec_properties["split"])
            lists = [_recommendations(folder, split) for folder in folders]
            catalogues = [_items(folder) for folder in folders]
            settings = RefitSettings.model_validate_json(exec_properties["settings"])
            result = compare(lists[0], lists[1], catalogues[0], catalogues[1], settings)
        result.write(artifact_utils.get_single_uri(output_dict["validation"]))
        bless(artifact_utils.get_single_instance(output_dict["blessing"]), result.blessed, model, "RefitValidator")


def _folder(artifacts: list[types.Artifact]) -> str:
    model = artifact_utils.get_single_instance(artifacts)
    return str(path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model)))


def _recommendations(model_dir: str, split: str) -> list[list[bytes]]:
    """Item IDs for at most 1,024 users of a split, spread evenly."""
    recommend, serialized = recommender(model_dir), read_split(split)
    users = int(serialized.reduce(tf.constant(0, tf.int64), lambda count, _: count + 1))
    sample = serialized.shard(-(-max(users, 1) // _USERS), 0)
    return [[item for item in row if item] for batch in sample.batch(_BATCH) for row in recommend(batch).tolist()]


def _items(model_dir: str) -> set[bytes]:
    lines = tf.data.TextLineDataset(vocabulary_file(model_dir, ITEM_VOCABULARY))
    return set(lines.as_numpy_iterator())
