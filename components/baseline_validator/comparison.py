"""Compares the served model with simple baselines, user by user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from components.evaluator.settings import EvaluatorSettings
from components.ranking.bootstrap import confidence_intervals
from components.ranking.evaluation import Ranking
from components.ranking.metrics import NO_RANK, user_metrics_with_next

# Names in `metrics.json`.
SERVED, CASER, RULES, NEIGHBOURS, POPULARITY = "test", "caser", "sequential_rules", "neighbours", "popularity"
_TITLES = {RULES: "sequential rules", NEIGHBOURS: "neighbours", POPULARITY: "popularity"}

# Below this, intervals are too wide for a verdict.
_ENOUGH_USERS = 100

Intervals = dict[str, tuple[float, float]]


class HeldOutItems(NamedTuple):
    """Distinct held-out items of all users, and how many of them no model can recommend.

    Attributes:
        total: number of items.
        seen: those that the user has in the history; seen items are not recommended.
        unknown: those that do not occur in the train split.
    """

    total: int
    seen: int
    unknown: int

    @property
    def reachable(self) -> int:
        """The number of items that can be recommended."""
        return self.total - self.seen - self.unknown


class Comparison(NamedTuple):
    """The comparison and its verdict.

    Attributes:
        blessed: whether the served model is at least as good as the baselines.
        reason: why, in words.
        baseline: the strongest baseline.
        users: number of compared users.
        held_out: held-out items, and how many of them can be recommended.
        warning: why the verdict is uncertain; None if it is not.
        metrics: metrics by name of each part and baseline.
        intervals: 95 % confidence intervals of the same metrics, without coverage.
        margins: confidence intervals of the difference from the strongest baseline.
    """

    blessed: bool
    reason: str
    baseline: str
    users: int
    metrics: dict[str, dict[str, float]]
    intervals: dict[str, Intervals]
    margins: Intervals
    held_out: HeldOutItems
    warning: str | None = None


def compare(
    rankings: Mapping[str, Ranking], n_items: int, settings: EvaluatorSettings, held_out: HeldOutItems
) -> Comparison:
    """Compares rankings of the same users.

    Args:
        rankings: by name, with at least SERVED and POPULARITY; rows are the same users in the same order.
        n_items: number of items in the catalogue.
        settings: metric and thresholds.
        held_out: counts of the held-out items of these users.
    """
    evaluated = (rankings[SERVED].ranks != NO_RANK).any(axis=1)
    users = int(evaluated.sum())
    if not users:
        reason = f"{settings.metric} could not be compared: there are no held-out items"
        return Comparison(False, reason, POPULARITY, 0, {}, {}, {}, held_out)
    kept = {name: Ranking(part.ranks[evaluated], part.top_items[evaluated]) for name, part in rankings.items()}
    values = {name: user_metrics_with_next(part.ranks) for name, part in kept.items()}
    metrics = {name: part.metrics(n_items) for name, part in kept.items()}
    simple = [name for name in (RULES, NEIGHBOURS) if name in kept] or [POPULARITY]
    baseline = max(simple, key=lambda name: metrics[name][settings.metric])

    names = list(values[SERVED])
    columns = {name: np.stack([values[name][metric] for metric in names], axis=1) for name in values}
    columns["margin"] = columns[SERVED] - columns[baseline]
    ends = confidence_intervals(np.concatenate(list(columns.values()), axis=1))
    intervals = {
        name: {metric: (float(low), float(high)) for metric, (low, high) in zip(names, part, strict=True)}
        for name, part in zip(columns, np.split(ends, len(columns)), strict=True)
    }
    margins = intervals.pop("margin")
    blessed, reason = _verdict(metrics, baseline, margins[settings.metric], settings)
    if held_out.reachable * 2 < held_out.total:
        blessed, reason = False, _cannot_judge(held_out)
    warning = _few_users(users, settings.metric, intervals[SERVED][settings.metric])
    return Comparison(blessed, reason, baseline, users, metrics, intervals, margins, held_out, warning)


def _cannot_judge(held_out: HeldOutItems) -> str:
    few = "none" if not held_out.reachable else f"only {held_out.reachable:,}"
    return (
        f"this data or split cannot judge a model: {few} of {held_out.total:,} held-out items can be recommended "
        f"({held_out.seen:,} are in the user's history, {held_out.unknown:,} are not in the train split)"
    )


def _few_users(users: int, metric: str, interval: tuple[float, float]) -> str | None:
    if users >= _ENOUGH_USERS:
        return None
    return (
        f"only {users:,} users were evaluated, so the verdict is uncertain: the 95 % interval of {metric} is "
        f"{interval[0]:.4f} to {interval[1]:.4f}"
    )


def _verdict(
    metrics: Mapping[str, Mapping[str, float]],
    baseline: str,
    margin: tuple[float, float],
    settings: EvaluatorSettings,
) -> tuple[bool, str]:
    metric = settings.metric
    value, simple, popularity = (metrics[name][metric] for name in (SERVED, baseline, POPULARITY))
    if value <= 0:
        return False, f"{metric} is 0: no held-out item was recommended"
    if value <= popularity:
        return False, f"{metric} {value:.4f} is not above popularity, {popularity:.4f}"
    title = _TITLES[baseline]
    difference = f"{value - simple:+.4f} {metric} (95 % interval {margin[0]:+.4f} to {margin[1]:+.4f})"
    if margin[1] < 0:
        return False, f"worse than {title}: {difference}"
    if settings.max_loss is not None and value < simple * (1 - settings.max_loss):
        return False, f"worse than {title} by more than evaluator.max_loss={settings.max_loss:g}: {difference}"
    return True, f"{difference} over {title}"
