"""Executor of BatchRecommender: recommends if the model is blessed."""

from __future__ import annotations

import os
from typing import Any

import tensorflow as tf
from tfx import types
from tfx.components.util import model_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.batch_recommender.beam_pipeline import BatchOutput, recommend_for_all
from components.batch_recommender.settings import BatchSettings
from components.features import ALL

BLESSINGS = ("model_blessing", "baseline_blessing", "drift_blessing", "refit_blessing")
FILE_NAME = "recommendations"


class Executor(base_beam_executor.BaseBeamExecutor):
    """Writes files of recommendations; none for a model that is not pushed."""

    def Do(  # noqa: N802 -- named by TFX
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Recommends for all users."""
        blessings = [blessing for name in BLESSINGS for blessing in input_dict.get(name, [])]
        if not all(map(model_utils.is_model_blessed, blessings)):
            return
        model = artifact_utils.get_single_instance(input_dict["model"])
        settings = BatchSettings.model_validate_json(exec_properties["settings"])
        examples = artifact_utils.get_split_uri(input_dict["examples"], ALL)
        output = artifact_utils.get_single_uri(output_dict["recommendations"])
        tf.io.gfile.makedirs(output)
        with self._make_beam_pipeline() as pipeline:
            recommend_for_all(
                pipeline,
                sorted(tf.io.gfile.glob(f"{examples}/*")),
                path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model)),
                settings.k,
                BatchOutput(os.path.join(output, FILE_NAME), settings.format),
            )
