"""Result of the node: `sequential_rules.json`."""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from tfx.utils import io_utils

RESULT_FILE = "sequential_rules.json"


class SequentialRulesResult(NamedTuple):
    """What the node leaves: metrics by name, or None and why not."""

    metrics: dict[str, float] | None
    note: str = ""


def read_result(uri: str) -> SequentialRulesResult:
    """Reads what `SequentialRules` left at the `uri` of its artifact."""
    return SequentialRulesResult(**json.loads(io_utils.read_string_file(os.path.join(uri, RESULT_FILE))))
