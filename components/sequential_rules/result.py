"""Result of the node: `sequential_rules.json`."""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from tfx.utils import io_utils

MARKOV_FILE = "markov.json"


class MarkovResult(NamedTuple):
    """What the node leaves: metrics by name, or None and why not."""

    metrics: dict[str, float] | None
    note: str = ""


def read_markov(uri: str) -> MarkovResult:
    """Reads what `MarkovBaseline` left at the `uri` of its artifact."""
    return MarkovResult(**json.loads(io_utils.read_string_file(os.path.join(uri, MARKOV_FILE))))
