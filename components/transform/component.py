"""TFX's Transform, with the executor that writes shards."""

from __future__ import annotations

from tfx import v1 as tfx
from tfx.dsl.components.base import executor_spec

from components.transform.executor import Executor


class HistoryTransform(tfx.components.Transform):
    """TFX's Transform for histories; arguments and outputs are the same."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)
