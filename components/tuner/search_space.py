"""The search space: the settings that are tuned, and their values in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.model.settings import default_embedding_dim
from components.trainer.training import Training
from components.tuner.settings import SEARCH_SPACE, Value


def configured_values(training: Training, short_histories: bool, held_out: float) -> dict[str, Value]:
    """What an untuned training uses, for all parameters of the search space.

    Args:
        training: settings and data.
        short_histories: whether unset settings have the defaults for short histories.
        held_out: mean number of held-out items per user of the valid split.
    """
    plan = training.plan(short_histories, held_out)
    model = training.model_settings.resolved(short_histories)
    sections = {
        "model": {**model.model_dump(), "d": model.d or default_embedding_dim(training.items.size)},
        "windows": {
            "L": training.window_settings.L,
            "T": 1 if plan.one_target and not training.window_settings.T else training.window_settings.most_targets,
        },
        "trainer": {**training.settings.model_dump(), **plan._asdict()},
    }
    values = {}
    for name in SEARCH_SPACE:
        section, _, key = name.partition(".")
        values[name] = sections[section][key]
    return values


def search_space(
    parameters: Sequence[str] | None, configured: Sequence[Mapping[str, Value]], training: Training
) -> dict[str, list[Value]]:
    """The values to choose from, by setting.

    Args:
        parameters: settings to tune; None: all.
        configured: what untuned trainings use; their values are in the space, too.
        training: settings that limit the values.
    """
    heights = training.model_settings.heights
    space = {}
    for name in parameters or SEARCH_SPACE:
        values: list[Any] = [*SEARCH_SPACE[name], *(values[name] for values in configured)]
        if name == "windows.L" and heights:
            values = [value for value in values if value >= max(heights)]
        if name == "model.normalize" and not training.model_settings.tied_embeddings:
            values = [False]
        space[name] = sorted(set(values))
    return space
