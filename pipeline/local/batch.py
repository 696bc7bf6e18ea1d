"""`caser recommend --all-users`: reads a log or the Examples of a run, recommends, writes one file."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import apache_beam as beam
import tensorflow as tf

from components.batch_recommender import progress
from components.batch_recommender.beam_pipeline import BatchOutput, recommend_for_all
from components.errors import UserError
from components.example_gen.beam_pipeline import write_examples
from components.example_gen.inputs.spans import files_to_read
from components.example_gen.inputs.user_lists import read_user_list
from components.example_gen.preflight import check_input
from components.features import ALL, SPLITS
from pipeline.local.batch_request import BatchRequest, batch_format
from pipeline.pipeline import LOCAL_BEAM_ARGS, PIPELINE_NAME
from pipeline.results.metadata import last_outputs


def recommend_in_batch(request: BatchRequest, on_progress: Callable[[int], None]) -> int:
    """Recommends for all users; the file is whole or not there.

    Args:
        request: arguments of the command.
        on_progress: is called with the number of users that were just finished.

    Returns:
        Number of users.

    Raises:
        UserError: a file cannot be read or written, or there is no user.
    """
    wanted = None if request.users is None else read_user_list(str(request.users), "--users")
    if wanted is not None and not wanted:
        raise UserError(f"{request.users} has no user ID. Hint: write one per line.")
    done = 0

    def count(users: int) -> None:
        nonlocal done
        done += users
        on_progress(users)

    part = request.output.with_name(f".{request.output.name}.part")
    try:
        request.output.parent.mkdir(parents=True, exist_ok=True)
        target = BatchOutput(str(part), batch_format(request.output), single_file=True)
        with (
            _examples(request) as (files, whole),
            progress.progress_callback(count),
            _beam(request.beam_args) as pipeline,
        ):
            recommend_for_all(pipeline, files, str(request.model_dir), request.k, target, wanted, whole)
        if not done:
            what = "None of the users in --users has" if wanted else "No user has"
            raise UserError(f"{what} a history in {request.data or 'the Examples of the run'}. Nothing was written.")
        os.replace(part, request.output)
    except OSError as error:
        raise UserError(f"{request.output} cannot be written: {error.strerror or error}.") from None
    finally:
        part.unlink(missing_ok=True)
    return done


@contextlib.contextmanager
def _examples(request: BatchRequest) -> Iterator[tuple[list[str], bool]]:
    """Files of raw Examples, and whether each user is in one of them with the complete history."""
    if request.data is None:
        yield _examples_of_run(request.model_dir)
        return
    config = request.config
    # A single interaction is enough to recommend something.
    histories = config.histories.model_copy(update={"min_user_interactions": 1})
    check_input(request.data, config.data, histories, None)
    files = files_to_read(request.data, config.data.last_spans)
    with tempfile.TemporaryDirectory() as folder:
        directory = os.path.join(folder, f"Split-{ALL}")
        with _beam(request.beam_args) as pipeline:
            write_examples(pipeline, files, config.data, histories, config.split, {ALL: directory}, folder, folder)
        yield sorted(tf.io.gfile.glob(f"{directory}/*")), True


def _examples_of_run(model_dir: Path) -> tuple[list[str], bool]:
    output = next((folder for folder in model_dir.parents if (folder / "metadata.sqlite").is_file()), None)
    if output is None:
        raise UserError(
            f"{model_dir} is not below the output of a run, so there are no histories of users. "
            "Hint: pass the interaction log with --data FILE."
        )
    examples = last_outputs(output / "metadata.sqlite", PIPELINE_NAME)["InteractionExampleGen", "examples"].uri
    complete = sorted(tf.io.gfile.glob(f"{examples}/Split-{ALL}/*"))
    parts = [file for split in SPLITS for file in sorted(tf.io.gfile.glob(f"{examples}/Split-{split}/*"))]
    if not complete and not parts:
        raise UserError(f"The Examples of the last run, {examples}, are gone. Hint: pass the log with --data FILE.")
    return (complete, True) if complete else (parts, False)


def _beam(beam_args: Sequence[str]) -> beam.Pipeline:
    return beam.Pipeline(argv=[*LOCAL_BEAM_ARGS, *beam_args])
