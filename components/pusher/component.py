"""Pusher: a blessed model becomes a new version that TF Serving finds."""

from __future__ import annotations

import os
from typing import Any

from tfx import types
from tfx.components.util import model_utils
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, channel_utils, component_spec, standard_artifacts
from tfx.utils import path_utils

from components.evaluator.config import read_metrics
from components.features import MODEL_NAME
from components.pusher.push import release
from components.settings import PusherSettings

PUSHED, PUSHED_DESTINATION, PUSHED_VERSION = "pushed", "pushed_destination", "pushed_version"


class _Executor(base_executor.BaseExecutor):
    """Releases what is blessed."""

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
        facts: dict[str, Any] = {"config_digest": exec_properties["config_digest"]}
        if input_dict.get("evaluation"):
            facts["metrics"] = read_metrics(artifact_utils.get_single_uri(input_dict["evaluation"]))
        model_dir = os.path.join(exec_properties["serving_dir"], MODEL_NAME)
        version = release(
            path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model)),
            model_dir,
            exec_properties["keep"],
            facts,
        )
        pushed.set_int_custom_property(PUSHED, 1)
        pushed.set_string_custom_property(PUSHED_DESTINATION, os.path.join(model_dir, str(version)))
        pushed.set_string_custom_property(PUSHED_VERSION, str(version))
        # Where the version is gone, TFX finds nothing here, does not take this execution from the cache, and pushes
        # again. Last, since TFX empties the artifact's place when an executor fails.
        pushed.uri = pushed.get_string_custom_property(PUSHED_DESTINATION)


class _CaserPusherSpec(component_spec.ComponentSpec):
    PARAMETERS = {
        "serving_dir": component_spec.ExecutionParameter(type=str),
        "keep": component_spec.ExecutionParameter(type=int),
        "config_digest": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "model_blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
        "evaluation": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation, optional=True),
    }
    OUTPUTS = {"pushed_model": component_spec.ChannelParameter(type=standard_artifacts.PushedModel)}


class CaserPusher(base_component.BaseComponent):
    """Puts a blessed model at `<serving_dir>/caser/<version>/`, verified by a fresh process, all at once.

    A model whose files equal those of the newest version is not pushed again, so running this node twice does no
    harm. Its output's URI is the pushed version itself: an orchestrator that reuses outputs must look whether they are
    there, as TFX does, or run this node always.

    Inputs:
        model: from Trainer.
        model_blessing: from Evaluator; without a blessing nothing is pushed.
        evaluation: from Evaluator, optional; its metrics go into the version's `assets.extra/model.json`.

    Outputs:
        pushed_model: properties `pushed` (0 or 1), `pushed_destination` and `pushed_version`.
    """

    SPEC_CLASS = _CaserPusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(_Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        model_blessing: types.BaseChannel,
        serving_dir: str,
        evaluation: types.BaseChannel | None = None,
        pusher: PusherSettings | None = None,
        config_digest: str = "",
    ) -> None:
        """Declares the node.

        Args:
            model: see the class.
            model_blessing: see the class.
            serving_dir: TF Serving's folder of models, or its URI in an object store.
            evaluation: see the class.
            pusher: how many versions stay.
            config_digest: of the settings that the model is made with; for the description.
        """
        super().__init__(
            _CaserPusherSpec(
                model=model,
                model_blessing=model_blessing,
                evaluation=evaluation,
                serving_dir=serving_dir,
                keep=(pusher or PusherSettings()).keep,
                config_digest=config_digest,
                pushed_model=channel_utils.as_channel([standard_artifacts.PushedModel()]),
            )
        )
