import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.example_gen.settings import SplitSettings
from components.example_gen.splits import (
    TimeRange,
    holds_out_anything,
    nothing_to_evaluate_on,
    nothing_to_train_on,
    split_boundaries,
)

NO_TIMES, NO_RANGE = np.zeros(0, np.int64), TimeRange(0, 0)
DAY = 86_400_000_000


def cut(lengths, **split):
    start = np.concatenate([[0], np.cumsum(lengths)])
    first, second = split_boundaries(start, NO_TIMES, SplitSettings(**split), NO_RANGE)
    return list(zip(first.tolist(), second.tolist(), strict=True))


def test_leave_last_holds_out_one_item_per_split():
    assert cut([1, 2, 3, 9], strategy="leave_last") == [(1, 1), (1, 1), (1, 2), (7, 8)]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10_000), st.integers(1, 9))
def test_ratio_rounds_train_up_despite_floating_point_error(length, tenths):
    split = {"train": tenths / 10, "valid": 0, "test": 1 - tenths / 10}
    expected = math.ceil(Fraction(tenths, 10) * length)
    assert cut([length], **split) == [(expected, expected)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 500), min_size=1), st.sampled_from([(0.7, 0.1, 0.2), (0.8, 0.2, 0), (0.5, 0, 0.5)]))
def test_split_keeps_every_item_with_a_nonempty_train_part(lengths, fractions):
    train, valid, test = fractions
    for length, (first, second) in zip(lengths, cut(lengths, train=train, valid=valid, test=test), strict=True):
        assert 1 <= first <= second <= length
        assert test or second == length
        assert valid or first == second


@pytest.mark.parametrize(
    ("split", "shortest"),
    [
        ({}, 5),
        ({"train": 0.8, "valid": 0.2, "test": 0}, 5),
        ({"train": 0.5, "valid": 0, "test": 0.5}, 2),
        ({"strategy": "leave_last"}, 2),
    ],
)
def test_shortest_evaluable_history_depends_on_the_split(split, shortest):
    settings = SplitSettings(**split)
    assert next(n for n in range(1, 12) if holds_out_anything(n, settings)) == shortest
    assert f"`{settings.evaluated}`" in nothing_to_evaluate_on(settings, NO_RANGE)


def cut_by_time(histories, **split):
    """Boundaries of histories of times in days since 1970-01-01."""
    times = np.array([day for history in histories for day in history], np.int64) * DAY
    start = np.concatenate([[0], np.cumsum([len(history) for history in histories])])
    range_ = TimeRange(int(times.min()), int(times.max()))
    first, second = split_boundaries(start, times, SplitSettings(strategy="time", **split), range_)
    return list(zip(first.tolist(), second.tolist(), strict=True))


def test_time_cuts_all_histories_at_the_same_dates():
    histories = [[0, 1, 5, 9], [6, 7], [2], [8, 9]]
    dates = {"valid_from": "1970-01-06", "test_from": "1970-01-09"}
    assert cut_by_time(histories, **dates) == [(2, 3), (0, 2), (1, 1), (0, 0)]


def test_time_cuts_at_fractions_of_the_range_of_all_users():
    assert cut_by_time([[10, 14, 17, 18, 19, 20], [19, 20]], valid_from=0.75, test_from=0.9) == [(3, 4), (0, 0)]


def test_equal_starts_leave_no_valid_split_and_1_no_test_split():
    assert cut_by_time([[0, 1, 2, 3]], valid_from="1970-01-03", test_from="1970-01-03") == [(2, 2)]
    assert cut_by_time([[0, 1, 2, 3]], valid_from="1970-01-03", test_from=1) == [(2, 4)]
    assert not SplitSettings(strategy="time", valid_from=0.9, test_from=0.9).has("valid")
    assert SplitSettings(strategy="time", valid_from=0.9, test_from=1).evaluated == "valid"


days = st.lists(st.integers(0, 30), min_size=1, max_size=12).map(sorted)


@settings(max_examples=60, deadline=None)
@given(st.lists(days, min_size=1, max_size=8), st.integers(1, 30), st.integers(0, 30))
def test_no_interaction_of_train_is_later_than_one_that_is_held_out(histories, valid_from, later):
    dates = {
        name: f"1970-{1 + day // 28:02}-{1 + day % 28:02}"
        for name, day in (("valid_from", valid_from), ("test_from", min(valid_from + later, 55)))
    }
    cuts = cut_by_time(histories, **dates)
    parts = [(h[:a], h[a:b], h[b:]) for h, (a, b) in zip(histories, cuts, strict=True)]
    train, valid, test = ([day for part in column for day in part] for column in zip(*parts, strict=True))
    assert max(train, default=-1) < min(valid + test, default=99)
    assert max(train + valid, default=-1) < min(test, default=99)


def test_messages_of_time_splits_name_the_dates():
    settings = SplitSettings(strategy="time", valid_from="2024-02-01", test_from="2024-03-01")
    range_ = TimeRange(1_704_067_200 * 10**6, 1_706_000_000 * 10**6)
    assert nothing_to_evaluate_on(settings, range_) == (
        "No user has an interaction in the `test` split, with valid from 2024-02-01T00:00:00+00:00 and test from "
        "2024-03-01T00:00:00+00:00, where interactions are from 2024-01-01T00:00:00+00:00 to 2024-01-23T08:53:20+00:00."
        " Hint: set an earlier `split.test_from`."
    )
    assert "Hint: set a later `split.valid_from`." in nothing_to_train_on(settings, range_)
