"""Results of a run, for the run summary, `metrics.json` and `report.html`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from components.evaluator.slices import SliceMetrics
from components.ranking.metrics import NEXT_ITEM
from pipeline.results.explorer import Explorer
from pipeline.results.tuning import Tuning

Metrics = dict[str, float]


class Column(NamedTuple):
    """A column of the metrics table: its title, its key in `metrics.json`, and metrics by name."""

    title: str
    key: str
    metrics: Metrics


class Example(NamedTuple):
    """Recommendations for one user of the evaluated split: history oldest first, recommendations best first."""

    user: str
    history: list[str]
    recommended: list[str]
    held_out: list[str]


class Check(NamedTuple):
    """A check before the push, besides the blessing: its name, its verdict with the reason, values, and a hint."""

    name: str
    passed: bool
    reason: str
    values: dict[str, Any]
    hint: str = ""


@dataclass(frozen=True)
class RunSummary:
    """Results of one run.

    Attributes:
        test: metrics of what is served on the evaluated split: Caser combined with sequential rules.
        caser: metrics of Caser alone on the same users.
        sequential_rules: metrics of sequential rules on the same users; None if disabled or skipped.
        neighbours: metrics of the neighbourhood baseline on the same users; None if disabled or skipped.
        popularity: metrics of the popularity baseline on the same users.
        notes: by baseline, why it was not evaluated.
        intervals: 95 % confidence intervals, by column and metric.
        rule_weight: weight of the sequential rules in what is served; 0: Caser alone.
        ceiling: metrics of the oracle ranking, known for the built-in sample only.
        counts: counts of ExampleGen.
        blessed: whether the model passed the thresholds of `evaluator`.
        blessing_reason: the reason, in words.
        checks: drift and refit, as far as they are enabled.
        unseen_items: number of items in held-out interactions only, which the served model has never seen.
        warnings: what to know before the metrics: few users, items that cannot be hit, ties in time, ids such as NULL.
        pushed_version: version pushed by this run or, if nothing changed, by an earlier one.
        seconds: seconds per node.
        states: state per node, "done" or "cached".
        slices: metrics by slice.
        history: one dict per epoch, see `components.trainer.fit.fit`.
        examples: recommendations for a few users.
        model_card: model card of the pushed version, JSON; "" if none was pushed.
        explorer: sampled users and items; None: not wanted.
        titles: titles of items, by ID.
        tuning: trials of the hyperparameter search; None: there was none.
    """

    test: Metrics
    caser: Metrics
    popularity: Metrics
    counts: dict[str, Any]
    blessed: bool
    blessing_reason: str
    seconds: dict[str, float]
    states: dict[str, str]
    checks: list[Check] = field(default_factory=list)
    unseen_items: int = 0
    warnings: list[str] = field(default_factory=list)
    pushed_version: str | None = None
    sequential_rules: Metrics | None = None
    neighbours: Metrics | None = None
    notes: dict[str, str] = field(default_factory=dict)
    intervals: dict[str, dict[str, tuple[float, float]]] = field(default_factory=dict)
    rule_weight: float = 0.0
    ceiling: Metrics | None = None
    slices: list[SliceMetrics] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    model_card: str = ""
    explorer: Explorer | None = None
    titles: dict[str, str] = field(default_factory=dict)
    tuning: Tuning | None = None

    def columns(self) -> list[Column]:
        """What is served, its parts, and the baselines that were evaluated."""
        columns = [
            ("served" if self.rule_weight else "Caser", "test", self.test),
            ("Caser", "caser", self.caser if self.rule_weight else None),
            ("sequential rules", "sequential_rules", self.sequential_rules),
            ("neighbours", "neighbours", self.neighbours),
            ("popularity", "popularity", self.popularity),
            ("ceiling", "ceiling", self.ceiling),
        ]
        return [Column(title, key, metrics) for title, key, metrics in columns if metrics is not None]

    def why_not_pushed(self) -> str:
        """Why nothing was published, in parentheses; "" if that was not wanted."""
        if not self.blessed:
            return " (model was not blessed)"
        return next((f" ({check.name} check failed)" for check in self.checks if not check.passed), "")

    def main_metrics(self, titles: Mapping[str, str] | None = None) -> list[str]:
        """Names of the main metrics, or of those in `titles`, without those that repeat another."""
        names = TITLES if titles is None else titles
        return [name for name in names if name in self.test and not self.is_repeated(name)]

    def is_repeated(self, name: str) -> bool:
        """Whether a next-item metric equals the overall one, as if only one item per user is held out."""
        overall = name.removeprefix(NEXT_ITEM)
        return overall != name and all(
            column.metrics.get(name) == column.metrics.get(overall) for column in self.columns()
        )


# Main metrics, in display order.
TITLES = {
    "map": "MAP",
    "precision_at_1": "precision@1",
    "precision_at_10": "precision@10",
    "recall_at_10": "recall@10",
    "ndcg_at_10": "NDCG@10",
    "hit_rate_at_10": "hit rate@10",
    "mrr": "MRR",
    "coverage_at_10": "coverage@10",
    "next_item_ndcg_at_10": "next item NDCG@10",
}
# What lists are like apart from hits, see `components.ranking.beyond_accuracy`.
BEYOND_ACCURACY = {
    "novelty_at_10": "novelty@10, bits",
    "average_popularity_at_10": "average popularity@10",
    "gini_at_10": "Gini@10",
}
