"""Pusher: a blessed model becomes a new version that TF Serving finds."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from tfx import types
from tfx.components.util import model_utils
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, channel_utils, component_spec, standard_artifacts
from tfx.utils import path_utils

from components import verify_model
from components.errors import UserError
from components.versions import publish

MODEL_NAME = "caser"
PUSHED, PUSHED_DESTINATION, PUSHED_VERSION = "pushed", "pushed_destination", "pushed_version"


class _Executor(base_executor.BaseExecutor):
    """Copies, verifies, renames."""

    def Do(  # noqa: N802 -- named by TFX
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See `CaserPusher`."""
        pushed = artifact_utils.get_single_instance(output_dict["pushed_model"])
        blessing = artifact_utils.get_single_instance(input_dict["model_blessing"])
        if not model_utils.is_model_blessed(blessing):
            pushed.set_int_custom_property(PUSHED, 0)
            return
        model = artifact_utils.get_single_instance(input_dict["model"])
        source = path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model))
        model_dir = os.path.join(exec_properties["serving_dir"], MODEL_NAME)
        if "://" in model_dir:
            raise UserError(
                f"The model was not pushed: {model_dir} is no folder of this machine, and an object store cannot "
                "rename. Remedy: give a local or mounted serving folder."
            )
        try:
            version = publish(source, model_dir, _verified)
        except OSError as error:
            raise UserError(
                f"The model was not pushed to {model_dir}: {error.strerror or error}. The versions there are "
                "untouched. Remedy: see that the folder can be written to and has room."
            ) from error
        pushed.set_int_custom_property(PUSHED, 1)
        pushed.set_string_custom_property(PUSHED_DESTINATION, os.path.join(model_dir, str(version)))
        pushed.set_string_custom_property(PUSHED_VERSION, str(version))


def _verified(folder: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", verify_model.__name__, folder],
        capture_output=True,
        text=True,
        check=False,
        # This process may hold all memory of the GPUs.
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
    )
    if result.returncode:
        lines = result.stderr.strip().splitlines() or ["it ended without a word"]
        raise UserError(f"The model was not pushed, since a fresh process cannot use it: {lines[-1]}")


class _CaserPusherSpec(component_spec.ComponentSpec):
    PARAMETERS = {"serving_dir": component_spec.ExecutionParameter(type=str)}
    INPUTS = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "model_blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
    }
    OUTPUTS = {"pushed_model": component_spec.ChannelParameter(type=standard_artifacts.PushedModel)}


class CaserPusher(base_component.BaseComponent):
    """Puts a blessed model at `<serving_dir>/caser/<version>/`, verified by a fresh process, all at once.

    Inputs:
        model: from Trainer.
        model_blessing: from Evaluator; without a blessing nothing is pushed.

    Outputs:
        pushed_model: properties `pushed` (0 or 1), `pushed_destination` and `pushed_version`.
    """

    SPEC_CLASS = _CaserPusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(_Executor)

    def __init__(self, model: types.BaseChannel, model_blessing: types.BaseChannel, serving_dir: str) -> None:
        """Declares the node.

        Args:
            model: see the class.
            model_blessing: see the class.
            serving_dir: TF Serving's folder of models.
        """
        super().__init__(
            _CaserPusherSpec(
                model=model,
                model_blessing=model_blessing,
                serving_dir=serving_dir,
                pushed_model=channel_utils.as_channel([standard_artifacts.PushedModel()]),
            )
        )
