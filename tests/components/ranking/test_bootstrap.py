"""Confidence intervals against the normal approximation."""

import numpy as np

from components.ranking import bootstrap
from components.ranking.bootstrap import confidence_intervals


def test_interval_is_that_of_the_normal_approximation():
    rng = np.random.default_rng(1)
    values = rng.gamma(0.5, size=[5000, 2])
    low, high = confidence_intervals(values).T
    error = 1.96 * values.std(axis=0) / np.sqrt(len(values))
    np.testing.assert_allclose(low, values.mean(axis=0) - error, rtol=0.01)
    np.testing.assert_allclose(high, values.mean(axis=0) + error, rtol=0.01)


def test_columns_share_their_weights():
    rng = np.random.default_rng(2)
    one = rng.normal(size=3000)
    other = one + 0.01
    # The difference does not vary between users, so neither does its mean between replicates.
    ((low, high),) = confidence_intervals((one - other)[:, np.newaxis])
    np.testing.assert_allclose([low, high], -0.01)
    ends = confidence_intervals(np.stack([one, other], axis=1))
    np.testing.assert_allclose(ends[1] - ends[0], 0.01)


def test_users_may_come_in_groups_of_any_size(monkeypatch):
    monkeypatch.setattr(bootstrap, "_CHUNK", 16)
    values = np.random.default_rng(1).random([100, 2])
    growing = bootstrap.Bootstrap()
    for part in np.split(values, [0, 1, 5, 40, 90]):
        growing.add(part)
    np.testing.assert_array_equal(growing.confidence_intervals(), confidence_intervals(values))


def test_chunks_of_users_do_not_change_the_interval_of_a_constant(monkeypatch):
    monkeypatch.setattr(bootstrap, "_CHUNK", 3)
    np.testing.assert_allclose(confidence_intervals(np.full([10, 1], 0.25)), [[0.25, 0.25]])


def test_single_user_gives_an_interval_of_width_0():
    np.testing.assert_allclose(confidence_intervals(np.array([[0.5]])), [[0.5, 0.5]])
