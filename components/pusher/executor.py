"""Executor of CaserPusher: pushes what is blessed and records the version."""

from __future__ import annotations

import json
import os
import tempfile
from typing import Any

import tensorflow as tf
from tfx import types
from tfx.components.util import model_utils
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.baseline_validator.result import read_result
from components.evaluator.results import read_metrics
from components.example_gen.counts import COUNTS_FILE
from components.example_gen.settings import SplitSettings
from components.export.model_info import EXTRA
from components.export.signatures import MODEL_NAME
from components.files import read_text
from components.items_gen.item_files import ITEMS_FILE
from components.pusher.model_card import Evidence
from components.pusher.object_store import fetch, is_object_store, version_folders
from components.pusher.push import push_model
from components.pusher.version_dirs import version_folder

REFIT_BLESSING = "refit_blessing"
OTHER_BLESSINGS = ("baseline_blessing", "drift_blessing", REFIT_BLESSING)
PUSHED, PUSHED_DESTINATION, PUSHED_VERSION = "pushed", "pushed_destination", "pushed_version"


class Executor(base_executor.BaseExecutor):
    """Pushes a blessed model and records its version."""

    def Do(  # noqa: N802 -- named by TFX
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Pushes the model if it is blessed."""
        pushed = artifact_utils.get_single_instance(output_dict["pushed_model"])
        blessings = [artifact_utils.get_single_instance(input_dict["model_blessing"])]
        blessings += [blessing for name in OTHER_BLESSINGS for blessing in input_dict.get(name, [])]
        if not all(map(model_utils.is_model_blessed, blessings)):
            pushed.set_int_custom_property(PUSHED, 0)
            return
        model = artifact_utils.get_single_instance(input_dict["model"])
        info: dict[str, Any] = {
            "config_digest": exec_properties["config_digest"],
            "refit": bool(input_dict.get(REFIT_BLESSING)),
        }
        evidence = _evidence(input_dict, exec_properties["split"])
        if evidence.metrics:
            info["metrics"] = evidence.metrics
        model_dir = os.path.join(exec_properties["serving_dir"], MODEL_NAME)
        source = path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model))
        with tempfile.TemporaryDirectory() as folder:
            if input_dict.get("items"):
                source = _with_items(source, artifact_utils.get_single_uri(input_dict["items"]), folder)
            version = push_model(source, model_dir, exec_properties["keep"], info, evidence)
        pushed.set_int_custom_property(PUSHED, 1)
        pushed.set_string_custom_property(PUSHED_DESTINATION, _folder(model_dir, version))
        pushed.set_string_custom_property(PUSHED_VERSION, str(version))
        # If the version is deleted, TFX finds no output here, ignores the cached execution and pushes again. Set last,
        # since TFX clears the artifact's URI if an executor fails.
        pushed.uri = pushed.get_string_custom_property(PUSHED_DESTINATION)


def _evidence(input_dict: dict[str, list[types.Artifact]], split: str) -> Evidence:
    """What the other nodes know about the model."""
    evidence = Evidence(strategy=SplitSettings.model_validate_json(split).strategy if split else "")
    if input_dict.get("evaluation"):
        metrics, slices = read_metrics(artifact_utils.get_single_uri(input_dict["evaluation"]))
        evidence = evidence._replace(metrics=metrics, slices=slices)
    if input_dict.get("validation"):
        compared = read_result(artifact_utils.get_single_uri(input_dict["validation"])).comparison
        evidence = evidence._replace(comparison=compared)
    if input_dict.get("examples"):
        counts = read_text(os.path.join(artifact_utils.get_single_uri(input_dict["examples"]), COUNTS_FILE))
        evidence = evidence._replace(counts=json.loads(counts))
    return evidence


def _with_items(source: str, items: str, folder: str) -> str:
    """A copy of a model with the file about items, so that new titles are a new version."""
    staged = os.path.join(folder, "model")
    fetch(source, staged)
    tf.io.gfile.copy(os.path.join(items, ITEMS_FILE), os.path.join(staged, EXTRA, ITEMS_FILE), overwrite=True)
    return staged


def _folder(model_dir: str, version: int) -> str:
    if is_object_store(model_dir):
        return version_folders(model_dir)[version]
    return version_folder(model_dir, version)
