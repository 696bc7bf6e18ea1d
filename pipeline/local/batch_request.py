"""Arguments of `caser recommend --all-users`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from components.batch_recommender.settings import BatchFormat
from components.errors import UserError
from pipeline.config.config import Config

_FORMATS: dict[str, BatchFormat] = {".parquet": "parquet", ".jsonl": "jsonl"}


class BatchRequest(NamedTuple):
    """Arguments of the command.

    Attributes:
        model_dir: directory of the model version.
        data: interaction log; None: the Examples of the run that made the model.
        config: how the log is read.
        users: file with a user ID per line; None: all users.
        output: file to write, `.parquet` or `.jsonl`.
        k: number of recommendations per user.
        beam_args: Beam options.
    """

    model_dir: Path
    data: str | None
    config: Config
    users: Path | None
    output: Path
    k: int
    beam_args: Sequence[str] = ()


def batch_format(output: Path) -> BatchFormat:
    """The format of a file by its extension.

    Raises:
        UserError: the extension is another one.
    """
    if output.suffix not in _FORMATS:
        raise UserError(f"--output should end in .parquet or .jsonl. Received: {output}")
    return _FORMATS[output.suffix]
