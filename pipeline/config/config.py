"""The one configuration: sections of `components.settings`, read from a preset, a YAML file and the command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from components.errors import UserError
from components.evaluator.settings import EvaluatorSettings
from components.example_gen.settings import DataSettings, HistorySettings, SplitSettings
from components.export.settings import ExportSettings
from components.model.settings import ModelSettings
from components.pusher.settings import PusherSettings
from components.sequential_rules.settings import SequentialRulesSettings
from components.settings import Settings
from components.trainer.settings import TrainerSettings
from components.transform.settings import WindowSettings
from pipeline.config import sources
from pipeline.config.presets import preset_text
from pipeline.config.sources import Source
from pipeline.config.suggestions import closest_match


class Config(Settings):
    """All settings of one run."""

    seed: int = Field(42, ge=0, lt=2**32, description="makes a run repeatable")
    data: DataSettings = Field(default_factory=DataSettings)
    histories: HistorySettings = Field(default_factory=HistorySettings)
    split: SplitSettings = Field(default_factory=SplitSettings)
    windows: WindowSettings = Field(default_factory=WindowSettings)
    model: ModelSettings = Field(default_factory=ModelSettings)
    trainer: TrainerSettings = Field(default_factory=TrainerSettings)
    export: ExportSettings = Field(default_factory=ExportSettings)
    evaluator: EvaluatorSettings = Field(default_factory=EvaluatorSettings)
    sequential_rules: SequentialRulesSettings = Field(default_factory=SequentialRulesSettings)
    pusher: PusherSettings = Field(default_factory=PusherSettings)

    @model_validator(mode="after")
    def _heights_fit(self) -> Config:
        if self.model.heights and max(self.model.heights) > self.windows.L:
            raise ValueError(
                f"`model.heights` should not exceed `windows.L`={self.windows.L}. Received: {self.model.heights}"
            )
        return self


def load_config(preset: str | None = None, file: Path | None = None, overrides: Sequence[str] = ()) -> Config:
    """Puts the configuration together; what comes later wins.

    Args:
        preset: name of a preset, see `preset_names`.
        file: YAML, keys nested or dotted.
        overrides: dotted `key=value` with a YAML value, such as `split.strategy=leave_last`.

    Returns:
        The configuration; what nobody sets has its default.

    Raises:
        UserError: an unknown preset or key, a value that does not fit, or YAML that cannot be read. One message names
            every mistake, its place and what is allowed.
    """
    layers = []
    if preset is not None:
        layers.append(sources.from_yaml(preset_text(preset), f"preset {preset}"))
    if file is not None:
        layers.append(sources.from_yaml(sources.read_text(file), str(file)))
    layers += [sources.from_override(text, leaves=set(fields())) for text in overrides]

    merged = Source.merged(layers)
    _refuse_unknown_keys(merged)
    try:
        return Config.model_validate(merged.nested())
    except ValidationError as error:
        raise UserError("\n".join(_explained(error, merged))) from None


def fields() -> dict[str, FieldInfo]:
    """All settings by dotted key, in the order of the sections."""
    return dict(_fields(Config, ""))


def to_yaml(config: Config) -> str:
    """The whole configuration as YAML that `load_config` reads."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _fields(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _fields(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name, field


def _refuse_unknown_keys(source: Source) -> None:
    known = fields()
    sections = {key.split(".")[0] for key in known if "." in key}
    mistakes = []
    for key, value in source.values.items():
        if key in known or (key in sections and value is None):  # a section whose every line is commented out
            continue
        if key in sections:
            allowed = ", ".join(name.split(".")[1] for name in known if name.startswith(f"{key}."))
            mistakes.append(f"{source.places[key]}: `{key}` is a section with the keys {allowed}. Received: {value!r}")
        else:
            mistakes.append(
                f"{source.places[key]}: there is no setting `{key}`. Did you mean `{closest_match(key, list(known))}`?"
            )
    if mistakes:
        raise UserError("\n".join(mistakes))


def _explained(error: ValidationError, source: Source) -> Iterator[str]:
    """One line per mistake: the place where the value was set, the key, what is allowed, what was received."""
    for mistake in error.errors():
        parts = [str(part) for part in mistake["loc"]]
        # A mistake inside a list is set where the list is; one of a whole section where its keys are.
        keys = [key for key in (".".join(parts[:n]) for n in range(len(parts), 0, -1)) if key in source.places][:1]
        keys = keys or [key for key in source.places if key.startswith("".join(f"{part}." for part in parts))]
        places = ", ".join(dict.fromkeys(source.places[key] for key in keys))
        prefix = f"{places}: " if places else ""
        message = mistake["msg"]
        if mistake["type"] == "value_error":  # ours, and complete
            yield prefix + message.removeprefix("Value error, ")
        else:
            allowed = message.removeprefix("Input should be ").removeprefix("Input ")
            yield f"{prefix}`{'.'.join(parts)}` should be {allowed}. Received: {mistake['input']!r}"
