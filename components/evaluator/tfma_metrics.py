"""All ranking metrics as one TFMA metric over the outputs of the `evaluate` signature."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.metrics import metric_types

from components.evaluator.slices import HISTORY_LENGTH_SLICE, POPULARITY_SLICE, length_slices, popularity_slices
from components.export.signatures import (
    HELD_OUT_ITEMS,
    HISTORY_LENGTH,
    ITEM_COUNT,
    PARTS,
    POPULARITY,
    RANKS,
    TOP_ITEMS,
)
from components.ranking.metrics import CUTOFFS, NO_RANK, recommended, user_metrics, user_metrics_with_next

# Names: `map` of what is served; `caser_map`, `sequential_rules_map` and `popularity_map` of its parts and of
# popularity; `map_margin`, the difference from popularity; `<slice>|<value>|map` and so on in slices; USERS is the
# number of evaluated users.
MARGIN, SLICE_SEPARATOR, USERS = "_margin", "|", "users"

_SLICE_METRICS = ("map", "recall_at_10", "ndcg_at_10", "hit_rate_at_10", "mrr")
# Users are processed in arrays of this size, since numpy takes as long for one user as for a hundred.
_FLUSH = 256
_NO_RANKS = np.zeros([0, 0], np.int64)


class CaserRanking(tfma.metrics.Metric):
    """Ranking metrics of what is served, of its parts and of popularity, overall and in slices."""

    def __init__(self, name: str = "caser_ranking") -> None:
        """Creates the metric."""
        super().__init__(_computations, name=name)


def _computations(
    name: str = "caser_ranking", model_names: list[str] | None = None, **_: Any
) -> list[metric_types.MetricComputation]:
    return [
        metric_types.MetricComputation(
            # The key only identifies the model: the combiner names its metrics.
            keys=[metric_types.MetricKey(name=name, model_name=model_name)],
            preprocessors=None,
            combiner=_Combiner(model_name),
        )
        for model_name in model_names or [""]
    ]


class _Sums:
    """Sums and counts of per-user values by name, and which items were recommended."""

    def __init__(self) -> None:
        self.pending: list[dict[str, np.ndarray]] = []
        self.sums: dict[str, float] = {}
        self.counts: dict[str, int] = {}
        self.covered: dict[str, np.ndarray] = {}

    def add(self, name: str, values: np.ndarray) -> None:
        self.sums[name] = self.sums.get(name, 0.0) + float(values.sum())
        self.counts[name] = self.counts.get(name, 0) + len(values)

    def cover(self, name: str, items: np.ndarray) -> None:
        self.covered[name] = self.covered[name] | items if name in self.covered else items


class _Combiner(beam.CombineFn):
    """Accumulates users; an element is the outputs of `evaluate` for one user."""

    def __init__(self, model_name: str) -> None:
        self._model_name = model_name

    def create_accumulator(self) -> _Sums:
        return _Sums()

    def add_input(self, accumulator: _Sums, element: metric_types.StandardMetricInputs) -> _Sums:
        predictions = element.get_predictions(self._model_name)
        accumulator.pending.append({name: np.atleast_1d(np.squeeze(values)) for name, values in predictions.items()})
        if len(accumulator.pending) >= _FLUSH:
            _flush(accumulator)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[_Sums]) -> _Sums:
        merged = _Sums()
        for part in accumulators:
            _flush(part)
            for name, value in part.sums.items():
                merged.sums[name] = merged.sums.get(name, 0.0) + value
                merged.counts[name] = merged.counts.get(name, 0) + part.counts[name]
            for name, items in part.covered.items():
                merged.cover(name, items)
        return merged

    def extract_output(self, accumulator: _Sums) -> dict[metric_types.MetricKey, float]:
        _flush(accumulator)
        values = {name: accumulator.sums[name] / count for name, count in accumulator.counts.items()}
        values |= {name: float(items.mean()) for name, items in accumulator.covered.items()}
        values |= {
            name + MARGIN: value - values[POPULARITY + name]
            for name, value in values.items()
            if POPULARITY + name in values
        }
        values[USERS] = float(accumulator.counts.get("map", 0))
        # Threshold lookup expects example_weighted=None.
        return {
            metric_types.MetricKey(name=name, model_name=self._model_name, example_weighted=None): value
            for name, value in values.items()
        }


def _flush(sums: _Sums) -> None:
    """Adds pending users to the sums."""
    # Users without held-out items are skipped.
    pending = [user for user in sums.pending if (user[RANKS] != NO_RANK).any()]
    sums.pending = []
    if not pending:
        return
    users = {name: _pad_rows([user[name] for user in pending]) for name in pending[0]}
    n_items = int(users[ITEM_COUNT][0, 0])
    lengths = length_slices(users[HISTORY_LENGTH][:, 0])
    for prefix in PARTS:
        ranks = users.get(prefix + RANKS, _NO_RANKS)
        # Without rules in the model, they have no ranks; a model of an earlier release, as baseline, has no parts.
        if not ranks.shape[1]:
            continue
        values = user_metrics_with_next(ranks)
        for name, user_values in values.items():
            sums.add(prefix + name, user_values)
        for k in CUTOFFS:
            sums.cover(f"{prefix}coverage_at_{k}", recommended(users[prefix + TOP_ITEMS], k, n_items))
        for part, inside in lengths.items():
            _add_slice(
                sums, HISTORY_LENGTH_SLICE, part, prefix, {name: column[inside] for name, column in values.items()}
            )
        for part, class_ranks in popularity_slices(ranks, users[HELD_OUT_ITEMS], n_items).items():
            has_any = (class_ranks != NO_RANK).any(axis=1)
            if has_any.any():
                _add_slice(sums, POPULARITY_SLICE, part, prefix, user_metrics(class_ranks[has_any]))


def _add_slice(sums: _Sums, name: str, part: str, prefix: str, values: dict[str, np.ndarray]) -> None:
    for metric in _SLICE_METRICS:
        if len(values[metric]):
            sums.add(SLICE_SEPARATOR.join((name, part, prefix + metric)), values[metric])


def _pad_rows(rows: list[np.ndarray]) -> np.ndarray:
    """Rows of different width as int64 [len(rows), max width], padded with 0 on the right."""
    padded = np.zeros((len(rows), max(map(len, rows))), np.int64)
    for target, row in zip(padded, rows, strict=True):
        target[: len(row)] = row
    return padded
