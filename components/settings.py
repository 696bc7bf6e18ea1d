"""Base class of all settings; `pipeline.config` composes them into one YAML file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Base of all settings: immutable; unknown keys are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True)
