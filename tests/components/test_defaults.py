import pytest

from components.defaults import Pace, pace
from components.settings import TrainerSettings


@pytest.mark.parametrize(
    ("windows", "batch_size", "rate"),
    [(1, 64, 0.004 / 8**0.5), (50_000, 64, 0.004 / 8**0.5), (130_000, 128, 0.002), (10_000_000, 512, 0.004)],
)
def test_an_epoch_has_about_a_thousand_steps_and_the_rate_follows_the_batch(windows, batch_size, rate):
    found = pace(TrainerSettings(), windows)
    assert found.batch_size == min(batch_size, windows)
    assert found.learning_rate == pytest.approx(rate)


def test_what_is_set_stays_and_the_rate_follows_a_batch_size_that_is_set():
    assert pace(TrainerSettings(batch_size=2048), 10_000).learning_rate == pytest.approx(0.008)
    assert pace(TrainerSettings(batch_size=7, learning_rate=0.1), 1000) == Pace(7, 0.1)
