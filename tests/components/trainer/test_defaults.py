import pytest

from components.model.settings import default_embedding_dim
from components.trainer.defaults import batch_size_for, epochs_for


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
