"""Reads a log into raw Examples without a run."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence

import apache_beam as beam

from components.errors import UserError
from components.example_gen.beam_pipeline import write_examples
from components.example_gen.inputs.spans import files_to_read
from components.example_gen.preflight import check_input
from components.features import ALL, SPLITS
from pipeline.config.config import Config
from pipeline.console.root_cause import root_cause
from pipeline.local.beam_workers import check_running_mode
from pipeline.pipeline import LOCAL_BEAM_ARGS


@contextlib.contextmanager
def examples_of(data: str, config: Config, complete: bool, beam_args: Sequence[str] = ()) -> Iterator[str]:
    """Raw Examples of a log, in a directory that is removed at the end: `Split-...` and `counts.json`.

    Args:
        data: interaction log.
        config: how it is read and split.
        complete: whether to write complete histories, for which a single interaction is enough, instead of splits.
        beam_args: Beam options.

    Raises:
        UserError: the log cannot be read.
    """
    histories = config.histories
    if complete:
        histories = histories.model_copy(update={"min_user_interactions": 1})
    check_input(data, config.data, histories, None if complete else config.split)
    files = files_to_read(data, config.data.last_spans)
    names = [ALL] if complete else [name for name in SPLITS if config.split.has(name)]
    with tempfile.TemporaryDirectory() as folder:
        splits = {name: os.path.join(folder, f"Split-{name}") for name in names}
        try:
            with local_beam(beam_args) as pipeline:
                write_examples(pipeline, files, config.data, histories, config.split, splits, folder, None)
        except Exception as error:
            cause = root_cause(error)
            if not cause.is_user_error:
                raise
            raise UserError(cause.text) from None
        yield folder


def local_beam(beam_args: Sequence[str]) -> beam.Pipeline:
    """A Beam pipeline on this machine, unless the arguments say otherwise."""
    check_running_mode(beam_args)
    return beam.Pipeline(argv=[*LOCAL_BEAM_ARGS, *beam_args])
