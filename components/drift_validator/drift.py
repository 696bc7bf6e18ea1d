"""How much complete histories differ from those of an earlier run.

size                     interactions now / interactions then
unknown users            users that the earlier model does not know / users with two interactions
unknown items            interactions with items that the earlier model does not know / interactions
popularity divergence    Jensen-Shannon divergence of the interactions over items, to base 2 (TFDV)
length distance          largest difference of the cumulative distributions of history lengths
(Kolmogorov-Smirnov statistic)
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

from components.drift_validator.settings import DriftSettings
from components.features import ITEM_IDS

# By how much an accepting limit is wider than what was measured.
_MARGIN = 0.05


class Unknown(NamedTuple):
    """Fractions of users, and of interactions by item, that the earlier model does not know."""

    users: float
    items: float


class Measurement(NamedTuple):
    """A measured value, where it should be, and the setting that says so."""

    value: float
    low: float
    high: float
    setting: str

    @property
    def is_violated(self) -> bool:
        """Whether the value is outside."""
        return not self.low <= self.value <= self.high

    @property
    def text(self) -> str:
        """The value, and the limit that it violates."""
        if not self.is_violated:
            return f"{self.value:.3f}"
        side, limit = ("below", self.low) if self.value < self.low else ("above", self.high)
        name = self.setting.format("min" if side == "below" else "max")
        return f"{self.value:.3f}, {side} drift.{name}={limit:g}"

    @property
    def accepting(self) -> str:
        """The setting with a value that the measured one does not violate, such as `drift.min_size=0.095`."""
        if self.value < self.low:
            return f"drift.{self.setting.format('min')}={math.floor(self.value * (1 - _MARGIN) * 1000) / 1000:g}"
        limit = math.ceil(self.value * (1 + _MARGIN) * 1000) / 1000
        if self.value <= 1:  # fractions are never more
            limit = min(limit, 1.0)
        return f"drift.{self.setting.format('max')}={limit:g}"


def measure(
    now: DatasetFeatureStatisticsList, then: DatasetFeatureStatisticsList, unknown: Unknown, settings: DriftSettings
) -> dict[str, Measurement]:
    """Measures the drift.

    Args:
        now: statistics of complete histories.
        then: statistics of the earlier one.
        unknown: what the earlier model does not know.
        settings: thresholds.

    Returns:
        Measurements by name, see the module.
    """
    histories, earlier = (tfdv.get_feature_stats(part.datasets[0], _path()) for part in (now, then))
    size = _interactions(histories) / max(_interactions(earlier), 1)
    distance = length_distance(_histogram(histories), _histogram(earlier))
    return {
        "size": Measurement(size, settings.min_size, settings.max_size, "{}_size"),
        "unknown users": Measurement(unknown.users, 0, settings.max_unknown_users, "{}_unknown_users"),
        "unknown items": Measurement(unknown.items, 0, settings.max_unknown_items, "{}_unknown_items"),
        "popularity divergence": Measurement(
            popularity_divergence(now, then), 0, settings.max_popularity_divergence, "{}_popularity_divergence"
        ),
        "length distance": Measurement(distance, 0, settings.max_length_distance, "{}_length_distance"),
    }


def popularity_divergence(now: DatasetFeatureStatisticsList, then: DatasetFeatureStatisticsList) -> float:
    """The Jensen-Shannon divergence of the interactions over items, by TFDV.

    Args:
        now: statistics of complete histories.
        then: statistics of the earlier one.
    """
    schema = schema_pb2.Schema()
    feature = schema.feature.add(name=ITEM_IDS, type=schema_pb2.BYTES)
    feature.drift_comparator.jensen_shannon_divergence.threshold = 1.0
    anomalies = tfdv.validate_statistics(now, schema, previous_statistics=then)
    (info,) = [info for info in anomalies.drift_skew_info if list(info.path.step) == [ITEM_IDS]]
    (measurement,) = info.drift_measurements
    assert measurement.type == anomalies_pb2.DriftSkewInfo.Measurement.JENSEN_SHANNON_DIVERGENCE
    return float(measurement.value)


def length_distance(now: statistics_pb2.Histogram, then: statistics_pb2.Histogram) -> float:
    """The largest difference of two cumulative distributions, linear within buckets.

    Args:
        now: history lengths.
        then: history lengths of the earlier run.
    """
    edges = np.unique([edge for histogram in (now, then) for edge in _edges(histogram)])
    return float(max((abs(_fraction_below(now, edge) - _fraction_below(then, edge)) for edge in edges), default=0.0))


def _fraction_below(histogram: statistics_pb2.Histogram, edge: float) -> float:
    """The fraction of values up to `edge`."""
    total = sum(bucket.sample_count for bucket in histogram.buckets)
    below = 0.0
    for bucket in histogram.buckets:
        width = bucket.high_value - bucket.low_value
        inside = float(edge >= bucket.high_value) if width == 0 else (edge - bucket.low_value) / width
        below += bucket.sample_count * min(max(inside, 0.0), 1.0)
    return below / total if total else 0.0


def _edges(histogram: statistics_pb2.Histogram) -> list[float]:
    return [edge for bucket in histogram.buckets for edge in (bucket.low_value, bucket.high_value)]


def _interactions(feature: statistics_pb2.FeatureNameStatistics) -> int:
    return int(feature.string_stats.common_stats.tot_num_values)


def _histogram(feature: statistics_pb2.FeatureNameStatistics) -> statistics_pb2.Histogram:
    return feature.string_stats.common_stats.num_values_histogram


def _path() -> tfdv.FeaturePath:
    return tfdv.FeaturePath([ITEM_IDS])
