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
from components.ranking.metrics import NO_RANK, user_metrics
from components.ranking.totals import Totals

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


class _Accumulator:
    """Totals, and users that are not yet in them."""

    def __init__(self) -> None:
        self.pending: list[dict[str, np.ndarray]] = []
        self.totals = Totals()


class _Combiner(beam.CombineFn):
    """Accumulates users; an element is the outputs of `evaluate` for one user."""

    def __init__(self, model_name: str) -> None:
        self._model_name = model_name

    def create_accumulator(self) -> _Accumulator:
        return _Accumulator()

    def add_input(self, accumulator: _Accumulator, element: metric_types.StandardMetricInputs) -> _Accumulator:
        predictions = element.get_predictions(self._model_name)
        accumulator.pending.append({name: np.atleast_1d(np.squeeze(values)) for name, values in predictions.items()})
        if len(accumulator.pending) >= _FLUSH:
            _flush(accumulator)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[_Accumulator]) -> _Accumulator:
        merged = _Accumulator()
        for part in accumulators:
            _flush(part)
            merged.totals.merge(part.totals)
        return merged

    def extract_output(self, accumulator: _Accumulator) -> dict[metric_types.MetricKey, float]:
        _flush(accumulator)
        values = accumulator.totals.means()
        values |= {
            name + MARGIN: value - values[POPULARITY + name]
            for name, value in values.items()
            if POPULARITY + name in values
        }
        values[USERS] = float(accumulator.totals.count("map"))
        # Threshold lookup expects example_weighted=None.
        return {
            metric_types.MetricKey(name=name, model_name=self._model_name, example_weighted=None): value
            for name, value in values.items()
        }


def _flush(accumulator: _Accumulator) -> None:
    """Adds pending users to the totals."""
    # Users without held-out items are skipped.
    pending = [user for user in accumulator.pending if (user[RANKS] != NO_RANK).any()]
    accumulator.pending, totals = [], accumulator.totals
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
        totals.add_users(ranks, users[prefix + TOP_ITEMS], n_items, prefix)
        for part, inside in lengths.items():
            _add_slice(totals, HISTORY_LENGTH_SLICE, part, prefix, ranks[inside])
        for part, class_ranks in popularity_slices(ranks, users[HELD_OUT_ITEMS], n_items).items():
            _add_slice(totals, POPULARITY_SLICE, part, prefix, class_ranks[(class_ranks != NO_RANK).any(axis=1)])


def _add_slice(totals: Totals, name: str, part: str, prefix: str, ranks: np.ndarray) -> None:
    if not len(ranks):
        return
    values = user_metrics(ranks)
    for metric in _SLICE_METRICS:
        totals.add(SLICE_SEPARATOR.join((name, part, prefix + metric)), values[metric])


def _pad_rows(rows: list[np.ndarray]) -> np.ndarray:
    """Rows of different width as int64 [len(rows), max width], padded with 0 on the right."""
    padded = np.zeros((len(rows), max(map(len, rows))), np.int64)
    for target, row in zip(padded, rows, strict=True):
        target[: len(row)] = row
    return padded
