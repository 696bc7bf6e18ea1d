"""Results of a hyperparameter search: the trials, and the configuration with the best values."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from ml_metadata.proto import metadata_store_pb2

from components.files import read_text, write_text
from pipeline.config.config import Config, flat

TUNER = "CaserTuner"
BEST, TRIALS = "best.yaml", "trials.csv"
# Name of the file is TFX's.
_RESULTS_FILE = "tuner_results.json"


class Trial(NamedTuple):
    """A training of the search.

    Attributes:
        number: from 1.
        score: metric of the served scores on valid.
        parameters: values by setting.
    """

    number: int
    score: float
    parameters: dict[str, Any]


class Tuning(NamedTuple):
    """All finished trials in the order in which they were made; the first one has the configured values."""

    trials: list[Trial]

    @property
    def best(self) -> Trial:
        """The best trial, the first of equal ones."""
        return max(self.trials, key=lambda trial: trial.score)

    def describe(self, metric: str) -> str:
        """The outcome in one sentence.

        Args:
            metric: title of the metric.
        """
        best, first = self.best, self.trials[0]
        text = f"{metric} {best.score:.4f} on valid in trial {best.number}, the best of {len(self.trials)}"
        return f"{text}; {first.score:.4f} with the settings before." if first.number == 1 else f"{text}."

    def changes(self, trial: Trial) -> dict[str, Any]:
        """What a trial has other than the first one, by setting."""
        first = self.trials[0].parameters
        return {name: value for name, value in trial.parameters.items() if value != first[name]}


def read_tuning(outputs: Mapping[tuple[str, str], metadata_store_pb2.Artifact]) -> Tuning | None:
    """Reads the results of the Tuner.

    Args:
        outputs: of a run, see `pipeline.results.metadata.outputs_of`.

    Returns:
        None if there was no search.
    """
    artifact = outputs.get((TUNER, "tuner_results"))
    return None if artifact is None else read_trials(artifact.uri)


def read_trials(uri: str) -> Tuning:
    """Reads the results of a search.

    Args:
        uri: of the artifact `tuner_results`.
    """
    rows = json.loads(read_text(os.path.join(uri, _RESULTS_FILE)))
    trials = [Trial(int(row.pop("trial_id")) + 1, row.pop("score"), row) for row in rows]
    return Tuning(sorted(trials, key=lambda trial: trial.number))


def tuned_config(config: Config, tuning: Tuning) -> Config:
    """The configuration that trains as the best trial did.

    Args:
        config: configuration of the search.
        tuning: its results.
    """
    content = config.model_dump()
    for name, value in {**tuning.best.parameters, "trainer.auto": False, "tuner.enabled": False}.items():
        section, _, key = name.partition(".")
        content[section][key] = value
    return Config.model_validate(content)


def best_yaml(config: Config, tuning: Tuning, metric: str) -> str:
    """The configuration that trains as the best trial did, as YAML with the settings that have no defaults.

    Args:
        config: configuration of the search.
        tuning: its results.
        metric: title of the metric.
    """
    defaults, sections = flat(Config()), dict[str, Any]()
    for name, value in flat(tuned_config(config, tuning)).items():
        section, _, key = name.rpartition(".")
        # Tuned ones always: a preset may set another value than the default.
        if name in tuning.best.parameters or (value != defaults[name] and section != "tuner"):
            (sections.setdefault(section, {}) if section else sections)[key] = value
    return f"# {tuning.describe(metric)}\n{yaml.safe_dump(sections, sort_keys=False, allow_unicode=True)}"


def write_trials(tuning: Tuning, metric: str, file: Path) -> None:
    """Writes a CSV file with a row per trial, atomically.

    Args:
        tuning: the results.
        metric: name of the metric.
        file: path of the file.
    """
    names = list(tuning.trials[0].parameters)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["trial", f"valid_{metric}", *names])
    for trial in tuning.trials:
        writer.writerow([trial.number, trial.score, *(trial.parameters[name] for name in names)])
    write_text(file, text.getvalue())
