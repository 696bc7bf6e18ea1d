"""Result of the node: `sequential_rules.json`."""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from tfx.utils import io_utils

RESULT_FILE = "sequential_rules.json"


class SequentialRulesResult(NamedTuple):
    """Metrics by name, or None and a note why the baseline was skipped."""

    metrics: dict[str, float] | None
    note: str = ""


def read_result(uri: str) -> SequentialRulesResult:
    """Reads the result from the URI of the artifact."""
    return SequentialRulesResult(**json.loads(io_utils.read_string_file(os.path.join(uri, RESULT_FILE))))
