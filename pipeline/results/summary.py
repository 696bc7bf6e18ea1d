"""Results of a run, for the run summary, `metrics.json` and `report.html`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from components.evaluator.slices import SliceMetrics
from components.ranking.metrics import NEXT_ITEM

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


@dataclass(frozen=True)
class RunSummary:
    """Results of one run.

    Attributes:
        test: metrics of Caser on the evaluated split.
        popularity: metrics of the popularity baseline on the same users.
        sequential_rules: metrics of sequential rules on the same users; None if disabled or skipped.
        sequential_rules_note: why sequential rules were not evaluated.
        ceiling: metrics of the oracle ranking, known for the built-in sample only.
        counts: counts of ExampleGen.
        blessed: whether the model passed the thresholds of `evaluator`.
        blessing_reason: the reason, in words.
        pushed_version: version pushed by this run or, if nothing changed, by an earlier one.
        seconds: seconds per node.
        states: state per node, "done" or "cached".
        slices: metrics by slice.
        history: one dict per epoch, see `components.trainer.fit.fit`.
        examples: recommendations for a few users.
    """

    test: Metrics
    popularity: Metrics
    counts: dict[str, Any]
    blessed: bool
    blessing_reason: str
    seconds: dict[str, float]
    states: dict[str, str]
    pushed_version: str | None = None
    sequential_rules: Metrics | None = None
    sequential_rules_note: str = ""
    ceiling: Metrics | None = None
    slices: list[SliceMetrics] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)

    def columns(self) -> list[Column]:
        """The model and the baselines that were evaluated."""
        columns = [
            ("Caser", "test", self.test),
            ("sequential rules", "sequential_rules", self.sequential_rules),
            ("popularity", "popularity", self.popularity),
            ("ceiling", "ceiling", self.ceiling),
        ]
        return [Column(title, key, metrics) for title, key, metrics in columns if metrics is not None]

    def main_metrics(self) -> list[str]:
        """Names of the main metrics, without those that repeat another."""
        return [name for name in TITLES if name in self.test and not self.is_repeated(name)]

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
