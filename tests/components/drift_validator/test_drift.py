"""The measures of drift, against independent formulas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.drift_validator.drift import Measurement, Unknown, length_distance, measure, popularity_divergence
from components.drift_validator.result import NO_EARLIER_MODEL, DriftValidation
from components.drift_validator.settings import DriftSettings

SETTINGS = DriftSettings()


def histogram(*buckets):
    proto = statistics_pb2.Histogram(type=statistics_pb2.Histogram.QUANTILES)
    for low, high, count in buckets:
        proto.buckets.add(low_value=low, high_value=high, sample_count=count)
    return proto


def statistics(frequencies, lengths=((2, 10, 5),)):
    """Statistics of histories with these frequencies by item."""
    proto = statistics_pb2.DatasetFeatureStatisticsList()
    dataset = proto.datasets.add(num_examples=10)
    feature = dataset.features.add(type=statistics_pb2.FeatureNameStatistics.STRING)
    feature.path.step.append("item_ids")
    common = feature.string_stats.common_stats
    common.num_non_missing, common.tot_num_values = 10, sum(frequencies.values())
    common.num_values_histogram.CopyFrom(histogram(*lengths))
    feature.string_stats.unique = len(frequencies)
    for rank, (item, count) in enumerate(sorted(frequencies.items(), key=lambda pair: -pair[1])):
        feature.string_stats.rank_histogram.buckets.add(low_rank=rank, high_rank=rank, label=item, sample_count=count)
    return proto


def jensen_shannon(p, q):
    p, q = (np.asarray(part, float) / np.sum(part) for part in (p, q))
    m = (p + q) / 2

    def divergence(a):
        inside = a > 0
        return float(np.sum(a[inside] * np.log2(a[inside] / m[inside])))

    return (divergence(p) + divergence(q)) / 2


@pytest.mark.parametrize(
    ("now", "then", "expected"),
    [
        (histogram((1, 3, 10)), histogram((1, 3, 4)), 0.0),
        (histogram((1, 3, 10)), histogram((5, 9, 10)), 1.0),
        (histogram((0, 4, 10)), histogram((2, 6, 10)), 0.5),
        (histogram((2, 2, 10), (2, 6, 10)), histogram((2, 6, 1)), 0.5),  # half of the lengths are 2
        (histogram(), histogram((1, 2, 1)), 1.0),
        (histogram(), histogram(), 0.0),
    ],
)
def test_length_distance_is_the_largest_gap_of_the_cumulative_distributions(now, then, expected):
    assert length_distance(now, then) == pytest.approx(expected)
    assert length_distance(then, now) == pytest.approx(expected)


@given(st.lists(st.integers(2, 60), min_size=1, max_size=30), st.lists(st.integers(2, 60), min_size=1, max_size=30))
def test_length_distance_of_single_values_equals_kolmogorov_smirnov(one, other):
    def of(values):
        return histogram(*((value, value, values.count(value)) for value in sorted(set(values))))

    gaps = [abs(np.mean(np.array(one) <= x) - np.mean(np.array(other) <= x)) for x in {*one, *other}]
    assert length_distance(of(one), of(other)) == pytest.approx(max(gaps))


@pytest.mark.parametrize("now", [{"a": 8, "b": 4, "c": 2}, {"a": 1, "b": 1, "new": 12}, {"x": 3, "y": 1}])
def test_popularity_divergence_is_that_of_jensen_and_shannon(now):
    then = {"a": 10, "b": 5, "c": 1}
    items = sorted({*now, *then})
    expected = jensen_shannon(*([part.get(item, 0) for item in items] for part in (now, then)))
    assert popularity_divergence(statistics(now), statistics(then)) == pytest.approx(expected, abs=1e-6)


def test_equal_data_has_no_drift():
    same = statistics({"a": 10, "b": 5})
    measured = measure(same, same, Unknown(0.0, 0.0), SETTINGS)
    assert {name: one.value for name, one in measured.items()} == {
        "size": 1.0,
        "unknown users": 0.0,
        "unknown items": 0.0,
        "popularity divergence": 0.0,
        "length distance": 0.0,
    }
    assert DriftValidation(measured).blessed


@pytest.mark.parametrize(
    ("now", "unknown", "expected"),
    [
        (statistics({"a": 4, "b": 2}), Unknown(0, 0), "size 0.400, below drift.min_size=0.5"),
        (statistics({"a": 30, "b": 15}), Unknown(0, 0), "size 3.000, above drift.max_size=2"),
        (statistics({"a": 10, "b": 5}), Unknown(0.9, 0), "unknown users 0.900, above drift.max_unknown_users=0.5"),
        (statistics({"a": 10, "b": 5}), Unknown(0, 0.25), "unknown items 0.250, above drift.max_unknown_items=0.2"),
        (
            statistics({"x": 10, "y": 5}),
            Unknown(0, 0),
            "popularity divergence 1.000, above drift.max_popularity_divergence=0.1",
        ),
        (
            statistics({"a": 10, "b": 5}, ((50, 60, 5),)),
            Unknown(0, 0),
            "length distance 1.000, above drift.max_length_distance=0.25",
        ),
    ],
)
def test_violation_names_value_and_setting(now, unknown, expected):
    result = DriftValidation(measure(now, statistics({"a": 10, "b": 5}), unknown, SETTINGS))
    assert (result.blessed, result.reason) == (False, expected)
    name, _, value = result.hint.rpartition("--set drift.")[2].partition("=")
    accepting = DriftSettings.model_validate({name: float(value)})
    assert DriftValidation(measure(now, statistics({"a": 10, "b": 5}), unknown, accepting)).blessed


@given(st.floats(0, 5), st.floats(0, 0.5), st.floats(0.5, 2))
def test_hint_accepts_what_it_is_given_for(value, low, high):
    measured = Measurement(value, low, high, "{}_size")
    if not measured.is_violated:
        assert DriftValidation({"size": measured}).hint == ""
        return
    name, _, limit = measured.accepting.partition("=")
    low, high = (float(limit), high) if name == "drift.min_size" else (low, float(limit))
    assert not Measurement(value, low, high, "{}_size").is_violated
    assert f"--set {name}={limit}" in DriftValidation({"size": measured}).hint


def test_limits_are_inclusive():
    settings = DriftSettings(max_unknown_users=0.5, min_size=0.5)
    now, then = statistics({"a": 5}), statistics({"a": 10})
    assert DriftValidation(measure(now, then, Unknown(0.5, 0.0), settings)).blessed


def test_result_survives_its_file(tmp_path):
    same = statistics({"a": 10, "b": 5})
    result = DriftValidation(measure(same, same, Unknown(0.1, 0.0), SETTINGS))
    result.write(str(tmp_path))
    assert DriftValidation.read(str(tmp_path)) == result
    assert result.reason.startswith("size 1.000, unknown users 0.100")


def test_first_run_passes_and_says_that_nothing_was_compared(tmp_path):
    DriftValidation({}, NO_EARLIER_MODEL).write(str(tmp_path))
    result = DriftValidation.read(str(tmp_path))
    assert (result.blessed, "no blessed model" in result.reason) == (True, True)
