"""TFX's Transform, with the executor that writes shards."""

from __future__ import annotations

from tfx import types
from tfx import v1 as tfx
from tfx.dsl.components.base import executor_spec
from tfx.proto import transform_pb2

from components.transform.executor import Executor
from components.transform.preprocessing import preprocessing_fn


class HistoryTransform(tfx.components.Transform):
    """TFX's Transform for histories; arguments and outputs are the same."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    @classmethod
    def of_split(cls, examples: types.BaseChannel, schema: types.BaseChannel, split: str) -> HistoryTransform:
        """Declares a node that makes vocabularies of one split and transforms it; others are evaluated as they are.

        Args:
            examples: raw Examples from `InteractionExampleGen`.
            schema: their schema.
            split: name of the split.
        """
        return cls(
            examples=examples,
            schema=schema,
            preprocessing_fn=f"{preprocessing_fn.__module__}.{preprocessing_fn.__name__}",
            splits_config=transform_pb2.SplitsConfig(analyze=[split], transform=[split]),
            disable_statistics=True,
        )
