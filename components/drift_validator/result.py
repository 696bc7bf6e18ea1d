"""Result of the node: `drift_validation.json`."""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from tfx.utils import io_utils

from components.drift_validator.drift import Measurement

RESULT_FILE = "drift_validation.json"

NO_EARLIER_MODEL = "there is no blessed model from earlier data to compare with"
NO_EARLIER_STATISTICS = (
    "the run of the last blessed model had no drift checks, so there are no statistics to compare with"
)


class DriftValidation(NamedTuple):
    """The measurements by name; or why there are none."""

    measurements: dict[str, Measurement]
    note: str = ""

    @property
    def blessed(self) -> bool:
        """Whether the data is like that of the last blessed model."""
        return not any(measurement.is_violated for measurement in self.measurements.values())

    @property
    def reason(self) -> str:
        """The violations, or all values."""
        if not self.measurements:
            return self.note
        shown = {name: one for name, one in self.measurements.items() if self.blessed or one.is_violated}
        return ", ".join(f"{name} {measurement.text}" for name, measurement in shown.items())

    @property
    def hint(self) -> str:
        """How to accept violations; "" without any."""
        violated = [one for one in self.measurements.values() if one.is_violated]
        if not violated:
            return ""
        settings = " ".join(f"--set {one.accepting}" for one in violated)
        return f"Hint: if the data is right, run again once on it, into the same output, with {settings}"

    def write(self, uri: str) -> None:
        """Writes the artifact."""
        measurements = {name: measurement._asdict() for name, measurement in self.measurements.items()}
        content = {"note": self.note, "measurements": measurements}
        io_utils.write_string_file(os.path.join(uri, RESULT_FILE), json.dumps(content, indent=1))

    @classmethod
    def read(cls, uri: str) -> DriftValidation:
        """Reads the artifact."""
        content = json.loads(io_utils.read_string_file(os.path.join(uri, RESULT_FILE)))
        measurements = content["measurements"].items()
        return cls({name: Measurement(**measurement) for name, measurement in measurements}, content["note"])
