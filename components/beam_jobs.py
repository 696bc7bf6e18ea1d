"""Beam jobs of a run that ends early: an engine would run them to their end."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
from apache_beam.runners.runner import PipelineResult, PipelineState

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def cancelled_on_error() -> Iterator[None]:
    """Cancels the Beam jobs started in this block if it ends with an exception, Ctrl-C included."""
    results: list[PipelineResult] = []
    original = beam.Pipeline.run

    def run(pipeline: beam.Pipeline, *arguments: Any, **options: Any) -> PipelineResult:
        result = original(pipeline, *arguments, **options)
        results.append(result)
        return result

    # TFX's nodes create their own pipelines and keep the results to themselves.
    beam.Pipeline.run = run  # type: ignore[method-assign, assignment]
    try:
        yield
    except BaseException:
        for result in results:
            _cancel(result)
        raise
    finally:
        beam.Pipeline.run = original  # type: ignore[method-assign]


def _cancel(result: PipelineResult) -> None:
    try:
        if not PipelineState.is_terminal(result.state):
            result.cancel()
            _log.info("cancelled a Beam job")
    except Exception:
        # The engine may be gone, which must not hide why the run ended.
        _log.exception("a Beam job could not be cancelled")
