"""Result of the node: `baseline_validation.json`."""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from tfx.utils import io_utils

from components.baseline_validator.comparison import Comparison, HeldOutItems

RESULT_FILE = "baseline_validation.json"


class BaselineValidation(NamedTuple):
    """The comparison, and by baseline why it was skipped."""

    comparison: Comparison
    notes: dict[str, str]


def write_result(uri: str, result: BaselineValidation) -> None:
    """Writes the result.

    Args:
        uri: URI of the artifact.
        result: the result.
    """
    comparison = {**result.comparison._asdict(), "held_out": result.comparison.held_out._asdict()}
    content = {"comparison": comparison, "notes": result.notes}
    io_utils.write_string_file(os.path.join(uri, RESULT_FILE), json.dumps(content, indent=1))


def read_result(uri: str) -> BaselineValidation:
    """Reads the result.

    Args:
        uri: URI of the artifact.
    """
    content = json.loads(io_utils.read_string_file(os.path.join(uri, RESULT_FILE)))
    comparison = content["comparison"]
    comparison["held_out"] = HeldOutItems(**comparison["held_out"])
    return BaselineValidation(Comparison(**comparison), content["notes"])
