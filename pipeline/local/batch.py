"""`caser recommend --all-users`: reads a log or the Examples of a run, recommends, writes one file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq
import tensorflow as tf

from components.batch_recommender import progress
from components.batch_recommender.beam_pipeline import BatchOutput, recommend_for_all
from components.batch_recommender.settings import BatchFormat
from components.errors import UserError
from components.example_gen.inputs.id_lists import read_id_list
from components.export.model_info import read_model_info
from components.features import ALL, SPLITS
from pipeline.local.batch_request import BatchRequest, batch_format
from pipeline.local.read_log import examples_of, local_beam
from pipeline.pipeline import PIPELINE_NAME
from pipeline.results.metadata import last_outputs


class BatchResult(NamedTuple):
    """Number of users that were recommended to, and of those in `--users` that have no history."""

    users: int
    missing: int


def recommend_in_batch(request: BatchRequest, on_progress: Callable[[int], None]) -> BatchResult:
    """Recommends for all users; the file is whole or not there.

    Args:
        request: arguments of the command.
        on_progress: is called with the number of users that were just finished, if Beam works in this process.

    Returns:
        How many users there were.

    Raises:
        UserError: a file cannot be read or written, or there is no user.
    """
    wanted = None if request.users is None else read_id_list(str(request.users), "--users")
    if wanted is not None and not wanted:
        raise UserError(f"{request.users} has no user ID. Hint: write one per line.")
    most = read_model_info(str(request.model_dir)).get("k")
    if most is not None and request.k > most:
        raise UserError(f"This model returns at most {most} items. Received: k={request.k}. Hint: use a smaller -k.")
    part = request.output.with_name(f".{request.output.name}.part")
    try:
        request.output.parent.mkdir(parents=True, exist_ok=True)
        file_format = batch_format(request.output)
        target = BatchOutput(str(part), file_format, single_file=True)
        with (
            _examples(request) as (files, whole),
            progress.progress_callback(on_progress),
            local_beam(request.beam_args) as pipeline,
        ):
            recommend_for_all(pipeline, files, str(request.model_dir), request.k, target, wanted, whole)
        users = _rows(part, file_format)
        if not users:
            what = "None of the users in --users has" if wanted else "No user has"
            raise UserError(f"{what} a history in {request.data or 'the Examples of the run'}. Nothing was written.")
        os.replace(part, request.output)
    except OSError as error:
        raise UserError(f"{request.output} cannot be written: {error.strerror or error}.") from None
    finally:
        part.unlink(missing_ok=True)
    return BatchResult(users, len(wanted) - users if wanted else 0)


def _rows(file: Path, file_format: BatchFormat) -> int:
    """The number of rows: workers elsewhere tell no progress."""
    if file_format == "parquet":
        return int(pq.read_metadata(file).num_rows)
    with file.open("rb") as lines:
        return sum(1 for _ in lines)


@contextlib.contextmanager
def _examples(request: BatchRequest) -> Iterator[tuple[list[str], bool]]:
    """Files of raw Examples, and whether each user is in one of them with the complete history."""
    if request.data is None:
        yield _examples_of_run(request.model_dir)
        return
    with examples_of(request.data, request.config, True, request.beam_args) as folder:
        yield sorted(tf.io.gfile.glob(f"{folder}/Split-{ALL}/*")), True


def _examples_of_run(model_dir: Path) -> tuple[list[str], bool]:
    output = next((folder for folder in model_dir.parents if (folder / "metadata.sqlite").is_file()), None)
    if output is None:
        raise UserError(
            f"{model_dir} is not below the output of a run, so there are no histories of users. "
            "Hint: pass the interaction log with --data FILE."
        )
    outputs = last_outputs(output / "metadata.sqlite", PIPELINE_NAME)
    if ("InteractionExampleGen", "examples") not in outputs:
        raise UserError(f"The last run in {output} did not read its data. Hint: pass the log with --data FILE.")
    examples = outputs["InteractionExampleGen", "examples"].uri
    complete = sorted(tf.io.gfile.glob(f"{examples}/Split-{ALL}/*"))
    parts = [file for split in SPLITS for file in sorted(tf.io.gfile.glob(f"{examples}/Split-{split}/*"))]
    if not complete and not parts:
        raise UserError(f"The Examples of the last run, {examples}, are gone. Hint: pass the log with --data FILE.")
    return (complete, True) if complete else (parts, False)
