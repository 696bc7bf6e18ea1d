"""The output of the node: ranks of the baseline, or why it was skipped."""

from __future__ import annotations

import io
import os

import numpy as np
from tfx.dsl.io import fileio
from tfx.utils import io_utils

from components.ranking.choice import Choice
from components.ranking.evaluation import Ranking

SUMMARY_FILE, RANKS_FILE = "neighbours.json", "neighbours.npz"


def write_result(uri: str, choice: Choice, ranking: Ranking | None) -> None:
    """Writes `neighbours.json` and, if there is a ranking, `neighbours.npz`.

    Args:
        uri: URI of the artifact.
        choice: how the baseline was made.
        ranking: ranks of all users of the evaluated split; None if the baseline was skipped.
    """
    if ranking is not None:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **ranking._asdict())
        io_utils.write_bytes_file(os.path.join(uri, RANKS_FILE), buffer.getvalue())
    choice.write(os.path.join(uri, SUMMARY_FILE))


def read_result(uri: str) -> tuple[Choice, Ranking | None]:
    """Reads what `write_result` wrote.

    Args:
        uri: URI of the artifact.
    """
    choice = Choice.read(os.path.join(uri, SUMMARY_FILE))
    path = os.path.join(uri, RANKS_FILE)
    if not fileio.exists(path):
        return choice, None
    with fileio.open(path, "rb") as file, np.load(io.BytesIO(file.read()), allow_pickle=False) as arrays:
        return choice, Ranking(**arrays)
