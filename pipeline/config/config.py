"""The configuration of a run, merged from a preset, a YAML file and the command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from components.batch_recommender.settings import BatchSettings
from components.drift_validator.settings import DriftSettings
from components.errors import UserError
from components.evaluator.settings import EvaluatorSettings
from components.example_gen.settings import DataSettings, HistorySettings, SplitSettings
from components.export.settings import ExportSettings
from components.features import VALID
from components.mlflow_tracker.settings import MlflowSettings
from components.model.settings import ModelSettings
from components.model.window_settings import WindowSettings
from components.neighbours.settings import NeighboursSettings
from components.pusher.settings import PusherSettings
from components.ranking.settings import RecommendSettings
from components.refit_trainer.settings import RefitSettings
from components.sequential_rules.settings import SequentialRulesSettings
from components.settings import Settings
from components.trainer.settings import TrainerSettings
from components.tuner.settings import TunerSettings
from pipeline.config import sources
from pipeline.config.presets import preset_text
from pipeline.config.report_settings import ReportSettings
from pipeline.config.sources import Source
from pipeline.config.validation_errors import explain, unknown_setting

# Settings of these types take values as they are written: 0 is "0", and 007 is "007".
_TEXTS = (str, str | None, list[str], list[str] | None)


class Config(Settings):
    """All settings of one run."""

    seed: int = Field(42, ge=0, lt=2**32, description="random seed; equal seeds give equal results")
    data: DataSettings = Field(default_factory=DataSettings)
    histories: HistorySettings = Field(default_factory=HistorySettings)
    split: SplitSettings = Field(default_factory=SplitSettings)
    windows: WindowSettings = Field(default_factory=WindowSettings)
    model: ModelSettings = Field(default_factory=ModelSettings)
    sequential_rules: SequentialRulesSettings = Field(default_factory=SequentialRulesSettings)
    trainer: TrainerSettings = Field(default_factory=TrainerSettings)
    tuner: TunerSettings = Field(default_factory=TunerSettings)
    export: ExportSettings = Field(default_factory=ExportSettings)
    recommend: RecommendSettings = Field(default_factory=RecommendSettings)
    evaluator: EvaluatorSettings = Field(default_factory=EvaluatorSettings)
    neighbours: NeighboursSettings = Field(default_factory=NeighboursSettings)
    drift: DriftSettings = Field(default_factory=DriftSettings)
    refit: RefitSettings = Field(default_factory=RefitSettings)
    batch: BatchSettings = Field(default_factory=BatchSettings)
    pusher: PusherSettings = Field(default_factory=PusherSettings)
    mlflow: MlflowSettings = Field(default_factory=MlflowSettings)
    report: ReportSettings = Field(default_factory=ReportSettings)

    @model_validator(mode="after")
    def _heights_fit(self) -> Config:
        if self.model.heights and max(self.model.heights) > self.windows.L:
            raise ValueError(
                f"`model.heights` should not exceed `windows.L`={self.windows.L}. Received: {self.model.heights}"
            )
        return self

    @model_validator(mode="after")
    def _batch_fits(self) -> Config:
        if self.batch.enabled and self.batch.k > self.export.k:
            raise ValueError(f"`batch.k` should not exceed `export.k`={self.export.k}. Received: {self.batch.k}")
        return self

    @model_validator(mode="after")
    def _trials_can_be_compared(self) -> Config:
        if self.tuner.enabled and not self.split.has(VALID):
            raise ValueError("`tuner.enabled` needs a valid split, on which trials are compared; see `split.valid`")
        return self

    @model_validator(mode="after")
    def _times_are_there(self) -> Config:
        if self.split.strategy == "time" and not self.data.has_times:
            raise ValueError("`split.strategy`=time needs times, that is `data.time_column`")
        return self


def load_config(preset: str | None = None, file: Path | None = None, overrides: Sequence[str] = ()) -> Config:
    """Merges the configuration; later arguments take precedence.

    Args:
        preset: name of a preset, see `preset_names`.
        file: YAML file with nested or dotted keys.
        overrides: dotted `key=value` with a YAML value, such as `split.strategy=leave_last`.

    Returns:
        The configuration, with defaults for everything that is not set.

    Raises:
        UserError: an unknown preset or key, an invalid value, or invalid YAML; the message lists every mistake with its
            place and what is allowed.
    """
    layers: list[Source] = []
    texts = {key for key, field in fields().items() if field.annotation in _TEXTS}
    if preset is not None:
        layers.append(sources.from_yaml(preset_text(preset), f"preset {preset}", texts))
    if file is not None:
        layers.append(sources.from_yaml(sources.read_text(file), str(file), texts))
    layers += [sources.from_override(text, set(fields()), texts) for text in overrides]

    merged = Source.merged(layers)
    _check_keys(merged)
    try:
        return Config.model_validate(merged.nested())
    except ValidationError as error:
        raise UserError("\n".join(explain(error, partial(_place_of, merged), list(fields())))) from None


def fields() -> dict[str, FieldInfo]:
    """All settings by dotted key, in section order."""
    return dict(_fields(Config, ""))


def to_yaml(config: Config) -> str:
    """The whole configuration as YAML that `load_config` reads."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def flat(config: Config) -> dict[str, Any]:
    """All values by dotted key, as JSON values.

    Args:
        config: the configuration.
    """
    content = config.model_dump(mode="json")
    parts = {name: name.rpartition(".") for name in fields()}
    return {name: content[section][key] if section else content[key] for name, (section, _, key) in parts.items()}


def _fields(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _fields(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name, field


def _check_keys(source: Source) -> None:
    known = fields()
    sections = {key.split(".")[0] for key in known if "." in key}
    mistakes = []
    for key, value in source.values.items():
        if key in known or (key in sections and value is None):  # a section whose lines are all commented out
            continue
        if key in sections:
            allowed = ", ".join(name.split(".")[1] for name in known if name.startswith(f"{key}."))
            mistakes.append(f"{source.places[key]}: `{key}` is a section with the keys {allowed}. Received: {value!r}")
        else:
            mistakes.append(f"{source.places[key]}: {unknown_setting(key, list(known))}")
    if mistakes:
        raise UserError("\n".join(mistakes))


def _place_of(source: Source, parts: list[str]) -> str:
    """Where a key was set: an error inside a list is at the list, one of a whole section at all of its keys."""
    keys = [key for key in (".".join(parts[:n]) for n in range(len(parts), 0, -1)) if key in source.places][:1]
    keys = keys or [key for key in source.places if key.startswith("".join(f"{part}." for part in parts))]
    return ", ".join(dict.fromkeys(source.places[key] for key in keys))
