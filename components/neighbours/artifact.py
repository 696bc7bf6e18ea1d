"""The output of the node: ranks of the baseline, or why it was skipped."""

from __future__ import annotations

import io
import json
import os
from typing import Any, NamedTuple

import numpy as np
from tfx.dsl.io import fileio
from tfx.utils import io_utils

from components.ranking.evaluation import Ranking

SUMMARY_FILE, RANKS_FILE = "neighbours.json", "neighbours.npz"


class NeighboursSummary(NamedTuple):
    """How the baseline was evaluated.

    Attributes:
        note: why it was skipped; "" if it was not.
        settings: the chosen parameters by name.
        valid: metric on the valid split of each candidate; empty if there was no choice.
    """

    note: str = ""
    settings: dict[str, Any] = {}
    valid: list[float] = []


def write_result(uri: str, summary: NeighboursSummary, ranking: Ranking | None) -> None:
    """Writes `neighbours.json` and, if there is a ranking, `neighbours.npz`.

    Args:
        uri: URI of the artifact.
        summary: how the baseline was evaluated.
        ranking: ranks of all users of the evaluated split; None if the baseline was skipped.
    """
    if ranking is not None:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **ranking._asdict())
        io_utils.write_bytes_file(os.path.join(uri, RANKS_FILE), buffer.getvalue())
    io_utils.write_string_file(os.path.join(uri, SUMMARY_FILE), json.dumps(summary._asdict(), indent=1))


def read_result(uri: str) -> tuple[NeighboursSummary, Ranking | None]:
    """Reads what `write_result` wrote.

    Args:
        uri: URI of the artifact.
    """
    summary = NeighboursSummary(**json.loads(io_utils.read_string_file(os.path.join(uri, SUMMARY_FILE))))
    path = os.path.join(uri, RANKS_FILE)
    if not fileio.exists(path):
        return summary, None
    with fileio.open(path, "rb") as file, np.load(io.BytesIO(file.read()), allow_pickle=False) as arrays:
        return summary, Ranking(**arrays)
