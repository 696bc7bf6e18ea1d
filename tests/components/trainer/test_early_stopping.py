"""When training stops, and with which weights."""

import keras
import numpy as np
import pytest

from components.trainer.early_stopping import EarlyStopping


@pytest.fixture
def model():
    model = keras.Sequential([keras.Input([1]), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.zeros([1, 1])])
    return model


def train(model, maps, patience):
    """Epochs with these values of MAP, whose number is the weight; returns the number of epochs."""
    early_stopping = EarlyStopping(model, "map", patience)
    for epoch, value in enumerate(maps, start=1):
        model.set_weights([np.full([1, 1], epoch, float)])
        if early_stopping.should_stop(epoch, {} if value is None else {"map": value}):
            break
    early_stopping.restore_best_weights()
    return epoch


@pytest.mark.parametrize(
    ("maps", "patience", "epochs", "best"),
    [
        ([0.1, 0.2, 0.15, 0.19, 0.3], 2, 4, 2),
        ([0.1, 0.2, 0.15, 0.3, 0.2], 2, 5, 4),
        ([0.2, 0.2, 0.2], 2, 3, 1),
        ([0.3, 0.2], 1, 2, 1),
    ],
)
def test_training_stops_after_patience_with_the_weights_of_the_best_epoch(model, maps, patience, epochs, best):
    assert (train(model, maps, patience), model.get_weights()[0].item()) == (epochs, best)


def test_training_without_validation_metrics_keeps_the_last_weights(model):
    assert (train(model, [None] * 5, 1), model.get_weights()[0].item()) == (5, 5)
