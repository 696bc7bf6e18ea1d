import pytest

from components.model.settings import default_embedding_dim
from components.trainer.defaults import (
    are_short,
    batch_size_for,
    epochs_for,
    is_next_item_enough,
    is_unclear,
    learning_rate_for,
)


@pytest.mark.parametrize(
    ("windows", "expected"), [(1, 64), (50_000, 64), (130_000, 128), (300_000, 256), (10_000_000, 512)]
)
def test_default_batch_size_gives_about_1000_steps(windows, expected):
    assert batch_size_for(windows) == expected


@pytest.mark.parametrize(("n_items", "expected"), [(10, 100), (200_000, 100), (200_001, 50)])
def test_default_embedding_dim_is_smaller_for_large_catalogues(n_items, expected):
    assert default_embedding_dim(n_items) == expected


@pytest.mark.parametrize(("steps", "expected"), [(1, 8), (84, 8), (117, 6), (175, 4), (100_000, 4)])
def test_default_epochs_grow_for_small_data(steps, expected):
    assert epochs_for(steps) == expected


def test_short_histories_get_fewer_larger_steps():
    assert batch_size_for(110_000, short_histories=True) == 2 * batch_size_for(110_000) == 256
    assert learning_rate_for(short_histories=True) > learning_rate_for(short_histories=False)
    assert epochs_for(400, short_histories=True) == 6


@pytest.mark.parametrize(
    ("per_user", "short", "unclear"),
    [(5, True, False), (20, True, True), (39, True, True), (40, False, True), (100, False, False)],
)
def test_length_of_histories_is_that_of_the_average_user(per_user, short, unclear):
    assert are_short(1000 * per_user, 1000) is short
    assert is_unclear(1000 * per_user, 1000) is unclear


@pytest.mark.parametrize(
    ("per_item", "held_out", "expected"),
    [(9, 2.0, True), (60, 1.0, True), (60, 1.5, False), (60, None, False), (9, None, True)],
)
def test_one_target_is_enough_for_rare_items_or_a_single_held_out_one(per_item, held_out, expected):
    assert is_next_item_enough(100 * per_item, 100, held_out) is expected
