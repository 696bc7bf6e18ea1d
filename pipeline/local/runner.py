"""Runs the pipeline on this machine with TFX's own runners, and tells an observer about every node."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any, Literal, Protocol
from unittest import mock

from tfx import v1 as tfx
from tfx.orchestration.beam.beam_dag_runner import BeamDagRunner
from tfx.orchestration.portable import launcher


class NodeObserver(Protocol):
    """What wants to know how the nodes fare."""

    def on_node_start(self, node_id: str) -> None:
        """A node begins."""

    def on_node_end(self, node_id: str, state: Literal["done", "cached"], seconds: float) -> None:
        """A node is through; "cached": an earlier execution's outputs were reused."""

    def on_node_failed(self, node_id: str, error: Exception, seconds: float) -> None:
        """A node failed; the runner raises `error` next."""


def run(pipeline: tfx.dsl.Pipeline, observer: NodeObserver, orchestrator: Literal["local", "beam"] = "local") -> None:
    """Runs all nodes.

    Args:
        pipeline: from `pipeline.pipeline.create_pipeline`.
        observer: is told about every node.
        orchestrator: "local": one node after the other in this process; "beam": by TFX's `BeamDagRunner`.

    Raises:
        Exception: whatever a node raised.
    """
    runner = BeamDagRunner() if orchestrator == "beam" else tfx.orchestration.LocalDagRunner()
    with _observed_launches(observer):
        runner.run(pipeline)


@contextlib.contextmanager
def _observed_launches(observer: NodeObserver) -> Iterator[None]:
    """Both runners launch every node through `launcher.Launcher` and offer no hook: this is the one place to look."""

    class ObservedLauncher(launcher.Launcher):
        executed = False

        def launch(self) -> Any:
            node_id = self._pipeline_node.node_info.id
            started = time.monotonic()
            observer.on_node_start(node_id)
            try:
                result = super().launch()
            except Exception as error:
                observer.on_node_failed(node_id, error, time.monotonic() - started)
                raise
            cached = not self.executed and self._executor_operator is not None
            observer.on_node_end(node_id, "cached" if cached else "done", time.monotonic() - started)
            return result

        def _run_executor(self, *args: Any, **kwargs: Any) -> Any:
            self.executed = True
            return super()._run_executor(*args, **kwargs)

    with mock.patch.object(launcher, "Launcher", ObservedLauncher):
        yield
