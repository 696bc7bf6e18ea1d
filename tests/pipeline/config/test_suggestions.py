"""What somebody probably meant."""

import pytest

from pipeline.config.suggestions import closest_match

KEYS = ["seed", "data.separator", "trainer.epochs", "trainer.learning_rate", "windows.L", "windows.T"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("trainer.epoch", "trainer.epochs"),
        ("epochs", "trainer.epochs"),
        ("model.learning_rate", "trainer.learning_rate"),
        ("Seed", "seed"),
        ("data.seperator", "data.separator"),
        ("windows.l", "windows.L"),
    ],
)
def test_mistyped_key_finds_the_right_one(typed, meant):
    assert closest_match(typed, KEYS) == meant
