"""What a run found, gathered for the screen, `metrics.json` and `report.html`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

Metrics = dict[str, float]


class Slice(NamedTuple):
    """Metrics of a part of the users or items, such as name "history length" and value "11 to 50"."""

    name: str
    value: str
    test: Metrics
    popularity: Metrics


class Example(NamedTuple):
    """What the model recommends to one user of the test split: ids, the newest of `history` last, the best first."""

    user: str
    history: list[str]
    recommended: list[str]
    held_out: list[str]


@dataclass(frozen=True)
class Summary:
    """One run.

    Attributes:
        test: Caser on the held-out items of the test split.
        popularity: the baseline on the same rows.
        sequential_rules: the counting baseline on the same rows; None where it was switched off or skipped.
        sequential_rules_note: why there is none.
        ceiling: the best attainable ranking on the same rows; only the built-in sample knows it.
        counts: what ExampleGen counted.
        blessed: whether the thresholds of `evaluator` were met.
        blessing_reason: why, in words.
        pushed_version: of the model that was pushed by this run or, where nothing changed, by an earlier one.
        seconds: per node.
        states: per node, "done" or "cached".
        slices: of the test split.
        history: one dict per epoch, see `components.trainer.fit.fit`.
        examples: a few users.
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
    slices: list[Slice] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)

    def columns(self) -> list[tuple[str, Metrics]]:
        """What is compared, by title."""
        known = {
            "Caser": self.test,
            "sequential rules": self.sequential_rules,
            "popularity": self.popularity,
            "ceiling": self.ceiling,
        }
        return [(title, values) for title, values in known.items() if values is not None]

    def main_metrics(self) -> list[str]:
        """Names of the metrics that people look at first, without those that only repeat another."""
        return [name for name in TITLES if name in self.test and not self.is_repeated(name)]

    def is_repeated(self, name: str) -> bool:
        """Whether a next-item metric says nothing new, as where only one item of each user is held out."""
        whole = name.removeprefix(NEXT_ITEM)
        return whole != name and all(values.get(name) == values.get(whole) for _, values in self.columns())


NEXT_ITEM = "next_item_"
# The metrics that people look at first, in this order.
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
