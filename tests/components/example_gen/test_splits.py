import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.example_gen.settings import SplitSettings
from components.example_gen.splits import holds_out_anything, nothing_to_evaluate_on, split_boundaries


def cut(lengths, **split):
    first, second = split_boundaries(np.array(lengths), SplitSettings(**split))
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
    assert f"`{settings.evaluated}`" in nothing_to_evaluate_on(settings)
