"""Settings of the Trainer that depend on others."""

import pytest

from components.trainer.settings import TrainerSettings


@pytest.mark.parametrize(
    ("configured", "exclude_seen", "expected"),
    [
        (None, True, "past"),
        (None, False, "none"),
        ("past_and_future", False, "past_and_future"),
        ("none", True, "none"),
    ],
)
def test_negatives_leave_out_what_is_not_recommended_unless_configured(configured, exclude_seen, expected):
    settings = TrainerSettings(exclude_from_negatives=configured)
    assert settings.resolved(exclude_seen).exclude_from_negatives == expected
