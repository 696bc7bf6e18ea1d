"""Pusher: a blessed model becomes a new version that TF Serving finds."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel_utils, component_spec, standard_artifacts

from components.pusher.executor import Executor
from components.pusher.settings import PusherSettings


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
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

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
