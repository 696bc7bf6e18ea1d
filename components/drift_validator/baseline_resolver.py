"""Resolves what the data is compared with: model and statistics of the last blessed run on earlier data."""

from __future__ import annotations

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.dsl.components.common import resolver

from components.evaluator.baseline_resolver import PreviousBlessedModelStrategy

_STATISTICS, _MODEL = "statistics", "model"
# The input of CaserTrainer that StatisticsGen has, too.
_EXAMPLES = "raw_examples"
_INPUTS = (metadata_store_pb2.Event.INPUT, metadata_store_pb2.Event.DECLARED_INPUT)


class LastBlessedRunStrategy(resolver.ResolverStrategy):
    """The last blessed model before the candidate, and the statistics of the Examples that it was trained on.

    Inputs of the resolver: `model`, `model_blessing`, `statistics`, and `candidate`, the current statistics.
    """

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]] | None:
        """Resolves the inputs.

        Args:
            store: ML Metadata.
            input_dict: all artifacts by input.

        Returns:
            At most one `model`, `model_blessing` and `statistics`, and the candidate.
        """
        others = {name: artifacts for name, artifacts in input_dict.items() if name != _STATISTICS}
        resolved = PreviousBlessedModelStrategy().resolve_artifacts(store, others) or {}
        ids = {id_ for model in resolved.get(_MODEL, []) for id_ in _statistics_ids(store, model.id)}
        statistics = [artifact for artifact in input_dict[_STATISTICS] if artifact.id in ids]
        return {**resolved, _STATISTICS: sorted(statistics, key=lambda artifact: artifact.id)[-1:]}


def _statistics_ids(store: mlmd.MetadataStore, model: int) -> set[int]:
    """Ids of all outputs of nodes that read the Examples a model was trained on."""
    made = {event.execution_id for event in store.get_events_by_artifact_ids([model]) if event.type not in _INPUTS}
    examples = [
        event.artifact_id
        for event in store.get_events_by_execution_ids(sorted(made))
        if event.type in _INPUTS and event.path.steps[0].key == _EXAMPLES
    ]
    readers = {event.execution_id for event in store.get_events_by_artifact_ids(examples) if event.type in _INPUTS}
    return {
        event.artifact_id for event in store.get_events_by_execution_ids(sorted(readers)) if event.type not in _INPUTS
    }
