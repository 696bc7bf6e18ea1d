"""How a baseline was made: which settings were chosen, or why it was skipped."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tfx.utils import io_utils


class Choice(NamedTuple):
    """The settings of a baseline.

    Attributes:
        note: why the baseline was skipped; "" if it was not.
        settings: the chosen parameters by name.
        valid: metric on the valid split of each candidate; empty if there was no choice.
    """

    note: str = ""
    settings: dict[str, Any] = {}
    valid: list[float] = []

    def write(self, file: str) -> None:
        """Writes JSON to a path or URI."""
        io_utils.write_string_file(file, json.dumps(self._asdict(), indent=1))

    @classmethod
    def read(cls, file: str) -> Choice:
        """Reads what `write` wrote."""
        return cls(**json.loads(io_utils.read_string_file(file)))
