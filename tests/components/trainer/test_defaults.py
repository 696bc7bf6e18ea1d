import pytest

from components.model.settings import default_embedding_dim
from components.trainer.defaults import batch_size_for, epochs_for


@pytest.mark.parametrize(
    ("windows", "expected"), [(1, 64), (50_000, 64), (130_000, 128), (300_000, 256), (10_000_000, 512)]
)
def test_an_epoch_has_about_a_thousand_steps_within_bounds(windows, expected):
    assert batch_size_for(windows) == expected


@pytest.mark.parametrize(("n_items", "expected"), [(10, 100), (200_000, 100), (200_001, 50)])
def test_the_tables_of_a_large_catalogue_are_narrower(n_items, expected):
    assert default_embedding_dim(n_items) == expected


@pytest.mark.parametrize(("steps", "expected"), [(1, 8), (84, 8), (117, 6), (175, 4), (100_000, 4)])
def test_little_data_is_gone_over_more_often_within_bounds(steps, expected):
    assert epochs_for(steps) == expected
