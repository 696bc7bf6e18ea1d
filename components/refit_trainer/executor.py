"""Executor of RefitTrainer: trains if the evaluated model is blessed."""

from __future__ import annotations

from typing import Any

from tfx import types
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.util import model_utils
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.trainer import executor

# Entry of `custom_config`: directory of the evaluated model.
EVALUATED_MODEL = "evaluated_model"
BLESSINGS = ("model_blessing", "baseline_blessing", "drift_blessing")


class Executor(executor.Executor):
    """Trains only what will be pushed; else the output has no model."""

    def Do(  # noqa: N802 -- named by TFX
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Trains the model if it is blessed."""
        if all(model_utils.is_model_blessed(blessing) for name in BLESSINGS for blessing in input_dict.get(name, [])):
            super().Do(input_dict, output_dict, exec_properties)

    def _GetFnArgs(  # noqa: N802 -- named by TFX
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> FnArgs:
        fn_args = super()._GetFnArgs(input_dict, output_dict, exec_properties)
        model = artifact_utils.get_single_instance(input_dict["evaluated_model"])
        folder = path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model))
        fn_args.custom_config = {**fn_args.custom_config, EVALUATED_MODEL: folder}
        return fn_args
