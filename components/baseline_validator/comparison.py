"""Compares the served model with simple baselines, user by user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from components.evaluator.settings import EvaluatorSettings
from components.ranking.beyond_accuracy import Exposure, Popularity
from components.ranking.bootstrap import Bootstrap
from components.ranking.evaluation import Ranking
from components.ranking.metrics import NO_RANK, user_metrics_with_next
from components.ranking.totals import Totals

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
        blocked: those on the blocklist.
    """

    total: int
    seen: int
    unknown: int
    blocked: int = 0

    def plus(self, other: HeldOutItems) -> HeldOutItems:
        """The counts of two groups of users."""
        return HeldOutItems(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def reachable(self) -> int:
        """The number of items that can be recommended."""
        return self.total - self.seen - self.unknown - self.blocked


class Comparison(NamedTuple):
    """The comparison and its verdict.

    Attributes:
        blessed: whether the served model is at least as good as the baselines.
        reason: why, in words.
        baseline: the strongest baseline.
        users: number of compared users.
        held_out: held-out items, and how many of them can be recommended.
        warning: why the verdict is uncertain; None if it is not.
        metrics: metrics by name of each part and baseline, with those of `components.ranking.beyond_accuracy`.
        intervals: 95 % confidence intervals of the metrics that have a value per user.
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


class RunningComparison:
    """Compares rankings of the same users, some users at a time; memory does not grow with their number."""

    def __init__(self, n_items: int, settings: EvaluatorSettings, popularity: Popularity) -> None:
        """Starts with no users.

        Args:
            n_items: number of items in the catalogue.
            settings: metric and thresholds.
            popularity: of the train split.
        """
        self._n_items, self._settings, self._popularity = n_items, settings, popularity
        self._totals: dict[str, Totals] = {}
        self._exposures: dict[str, Exposure] = {}
        self._bootstrap = Bootstrap()
        self._columns: list[tuple[str, str]] = []
        self._held_out = HeldOutItems(0, 0, 0)

    def add(self, rankings: Mapping[str, Ranking], held_out: HeldOutItems) -> None:
        """Adds users.

        Args:
            rankings: by name, always the same ones, with at least SERVED and POPULARITY; rows are the same users in the
                same order.
            held_out: counts of the held-out items of these users.
        """
        self._held_out = self._held_out.plus(held_out)
        evaluated = (rankings[SERVED].ranks != NO_RANK).any(axis=1)
        if not evaluated.any():
            return
        values: dict[str, dict[str, np.ndarray]] = {}
        for name, (ranks, top_items) in rankings.items():
            totals = self._totals.setdefault(name, Totals())
            totals.add_users(ranks[evaluated], top_items[evaluated], self._n_items)
            self._exposures.setdefault(name, Exposure(self._n_items)).add(top_items[evaluated])
            values[name] = user_metrics_with_next(ranks[evaluated])
        # Which baseline is the strongest, the last users decide: until then, the margins over all are kept.
        for name in [name for name in _TITLES if name in values]:
            values[_margin(name)] = {metric: served - values[name][metric] for metric, served in values[SERVED].items()}
        self._columns = [(name, metric) for name, part in values.items() for metric in part]
        self._bootstrap.add(np.stack([values[name][metric] for name, metric in self._columns], axis=1))

    def result(self) -> Comparison:
        """The comparison of all users."""
        metric = self._settings.metric
        if not self._totals:
            reason = f"{metric} could not be compared: there are no held-out items"
            return Comparison(False, reason, POPULARITY, 0, {}, {}, {}, self._held_out)
        metrics = {
            name: totals.means() | self._exposures[name].metrics(self._popularity)
            for name, totals in self._totals.items()
        }
        users = self._totals[SERVED].count(metric)
        simple = [name for name in (RULES, NEIGHBOURS) if name in metrics] or [POPULARITY]
        baseline = max(simple, key=lambda name: metrics[name][metric])

        intervals: dict[str, Intervals] = {}
        for (name, column), (low, high) in zip(self._columns, self._bootstrap.confidence_intervals(), strict=True):
            intervals.setdefault(name, {})[column] = (float(low), float(high))
        margins = intervals[_margin(baseline)]
        blessed, reason = _verdict(metrics, baseline, margins[metric], self._settings)
        if self._held_out.reachable * 2 < self._held_out.total:
            blessed, reason = False, _cannot_judge(self._held_out)
        return Comparison(
            blessed,
            reason,
            baseline,
            users,
            metrics,
            {name: intervals[name] for name in metrics},
            margins,
            self._held_out,
            _few_users(users, metric, intervals[SERVED][metric]),
        )


def _margin(baseline: str) -> str:
    return f"margin over {baseline}"


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
