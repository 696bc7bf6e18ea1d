"""Resolves the model a candidate is compared with, or training starts from: the last blessed model before it."""

from __future__ import annotations

import ml_metadata as mlmd
from tfx import types
from tfx.components.evaluator import constants
from tfx.components.util import model_utils
from tfx.dsl.components.common import resolver
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import LatestBlessedModelStrategy

from components.blessing import VALIDATOR

_CANDIDATE = "candidate"


class PreviousBlessedModelStrategy(resolver.ResolverStrategy):
    """TFX's `LatestBlessedModelStrategy`, restricted to models before the candidate.

    A second run on unchanged input reuses the model of the first run. With TFX's own strategy that model would become
    its own baseline and the Evaluator would run again; this strategy keeps the inputs of the Evaluator unchanged.
    Evaluator, BaselineValidator and DriftValidator bless a model each; one refusal is enough to exclude it,
    unless the same node has blessed it since: a run with other thresholds judges the same model again.

    Inputs of the resolver: `model`, `model_blessing`, and `candidate`, the model to be evaluated or the data to be
    trained on.
    """

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]] | None:
        """Resolves the inputs.

        Args:
            store: ML Metadata.
            input_dict: all artifacts by input.

        Returns:
            At most one `model` and `model_blessing`, and the candidate.
        """
        candidates = input_dict[_CANDIDATE]
        newest = max(candidate.id for candidate in candidates) if candidates else 0
        earlier = [model for model in input_dict["model"] if model.id < newest]
        # Ids grow, so the last word of each node on each model is what stays. TFX's Evaluator does not name itself.
        ordered = sorted(input_dict["model_blessing"], key=lambda blessing: blessing.id)
        last = {(_model_id(one), one.get_string_custom_property(VALIDATOR) or one.id): one for one in ordered}
        blessings = list(last.values())
        refused = {_model_id(blessing) for blessing in blessings if not model_utils.is_model_blessed(blessing)}
        blessed = LatestBlessedModelStrategy().resolve_artifacts(
            store, {"model": earlier, "model_blessing": [one for one in blessings if _model_id(one) not in refused]}
        )
        return {**(blessed or {"model": [], "model_blessing": []}), _CANDIDATE: candidates}


def _model_id(blessing: types.Artifact) -> int:
    return blessing.get_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY)
