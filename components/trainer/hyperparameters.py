"""Tuned hyperparameters instead of the configured ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def tuned_values(hyperparameters: Mapping[str, Any] | None) -> dict[str, Any]:
    """Values by setting, such as `model.d`.

    Args:
        hyperparameters: a `keras_tuner.HyperParameters` config; None: nothing is tuned.
    """
    return dict(hyperparameters["values"]) if hyperparameters else {}


def with_hyperparameters(custom_config: Mapping[str, Any], hyperparameters: Mapping[str, Any] | None) -> dict[str, Any]:
    """The configuration of a training with tuned hyperparameters.

    Args:
        custom_config: of `run_fn`.
        hyperparameters: see `tuned_values`.
    """
    config = dict(custom_config)
    for name, value in tuned_values(hyperparameters).items():
        section, _, key = name.partition(".")
        config[section] = {**config[section], key: value}
    if hyperparameters:
        # The Tuner has tried both sets of defaults.
        config["trainer"] = {**config["trainer"], "auto": False}
    return config
