import pytest

from components.trainer.losses.loss_choice import LossChoice, resolve_loss
from components.trainer.settings import TrainerSettings


@pytest.mark.parametrize(
    ("settings", "n_items", "windows", "expected"),
    [
        ({}, 32_768, 300_000, ("softmax", 0)),
        ({"batch_size": 512}, 32_769, 1, ("sampled_softmax", 4096)),
        ({"batch_size": 4096}, 32_768, 1, ("sampled_softmax", 4096)),
        ({"loss": "softmax", "num_negatives": 5}, 10**6, 10**6, ("softmax", 0)),
        ({}, 10_000, 1_000_001, ("sampled_softmax", 4096)),
        ({"loss": "sampled_softmax", "num_negatives": 5}, 10, 1, ("sampled_softmax", 5)),
        ({"loss": "bce"}, 10, 1, ("bce", 3)),
    ],
)
def test_auto_loss_depends_on_the_size_of_catalogue_and_data(settings, n_items, windows, expected):
    assert resolve_loss(TrainerSettings(**settings), n_items, windows) == expected


def test_loss_choice_is_printed_in_words():
    assert str(LossChoice("softmax", 0)) == "full softmax"
    assert str(LossChoice("bce", 3)) == "bce, 3 negatives per window"
