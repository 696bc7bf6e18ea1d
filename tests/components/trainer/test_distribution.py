"""Data-parallel training on two virtual CPUs."""

import json
import subprocess
import sys

import numpy as np
import pytest

from components.errors import UserError
from components.trainer.distribution import is_chief, strategy_for

# In a process of its own, since devices are divided before the first use of TensorFlow.
TRAIN = """
import json, sys
import keras, numpy as np, tensorflow as tf
cpu, = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from components.model.caser import Caser
from components.model.settings import ModelSettings
from components.model.window_settings import WindowSettings
from components.trainer.distribution import strategy_for
from components.trainer.fit import fit
from components.trainer.settings import TrainerSettings
from components.trainer.windows import Windows
from components.transform.histories import EncodedHistories

users, items, length = 40, int(sys.argv[1]), 30
rng = np.random.default_rng(0)
taken = rng.integers(0, items, users * length) + 2
histories = EncodedHistories.of(np.arange(users) + 2, taken, np.full(users, length))
# Several targets, padded in the last windows: devices have different numbers of them.
windows = Windows(histories, WindowSettings(L=3, T=3))
no_chance = dict(dropout=0, embedding_dropout=0, user_dropout=0)
found = {}
for distribution in ("none", "mirrored"):
    keras.utils.set_random_seed(1)
    model = Caser(users, items, 3, ModelSettings(d=8, tied_embeddings=True, **no_chance))
    model.build_weights()
    settings = TrainerSettings(
        epochs=3, batch_size=512, loss="softmax", unknown_user_rate=0, distribution=distribution, learning_rate=0.05
    )
    weights = []
    history = fit(model, windows, settings, 1, lambda: weights.append(model.get_weights()) or {"map": len(weights)})
    found[distribution] = {
        "devices": strategy_for(distribution).num_replicas_in_sync,
        "losses": [row["loss"] for row in history],
        "validated": [float(np.abs(parts[0]).sum()) for parts in weights],
        # Padding and the unknown user, the first rows, are not trained here; only a dense update decays them.
        "weights": [part[2:8].ravel().tolist() for part in model.get_weights()],
    }
print(json.dumps(found))
"""


# Dense updates of the embeddings, and updates of single rows.
@pytest.mark.long
@pytest.mark.parametrize("items", [12, 20_000])
def test_two_devices_train_as_one_does(items):
    done = subprocess.run([sys.executable, "-c", TRAIN, str(items)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    one, two = found["none"], found["mirrored"]
    assert (one["devices"], two["devices"]) == (1, 2)
    np.testing.assert_allclose(two["losses"], one["losses"], rtol=1e-5)
    np.testing.assert_allclose(two["validated"], one["validated"], rtol=1e-4)
    for actual, expected in zip(two["weights"], one["weights"], strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-2, atol=1e-3)


def test_several_workers_need_their_addresses(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(UserError, match=r"TF_CONFIG.*Hint: --set trainer\.distribution=mirrored"):
        strategy_for("multi_worker")


@pytest.mark.parametrize(
    ("task", "expected"), [(("worker", 0), True), (("worker", 1), False), (("chief", 0), True), (("ps", 0), False)]
)
def test_first_worker_exports_the_model(task, expected, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", json.dumps({"task": {"type": task[0], "index": task[1]}}))
    assert is_chief("multi_worker") is expected
    assert is_chief("mirrored")
