"""A training step on generated catalogues of several sizes: `python -m benchmarks.catalogue_scaling --to FILE`.

Windows are drawn by Zipf's law, users uniformly. Loss and sampling are what `trainer.loss: auto` chooses for the
largest catalogue, for all sizes alike. Memory is what the process grew by, beside the tables, their moments included.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import keras
import numpy as np

from benchmarks import environment, result_cache
from benchmarks.step_timer import StepTimer
from components.features import FIRST_ID
from components.model.caser import Caser
from components.model.settings import ModelSettings
from components.model.window_settings import WindowSettings
from components.trainer import progress
from components.trainer.fit import fit
from components.trainer.losses.loss_choice import resolve_loss
from components.trainer.settings import TrainerSettings
from components.trainer.windows import Windows
from components.transform.histories import EncodedHistories

_L, _T, _USERS, _BATCH, _D = 5, 3, 10_000, 512, 50


def main() -> None:
    """Measures each size in this process, smallest first, so that the peak memory is that of the largest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--to", type=Path, required=True)
    arguments = parser.parse_args()
    loss = resolve_loss(TrainerSettings(batch_size=_BATCH), max(arguments.items), windows=0)
    settings = TrainerSettings(loss=loss.loss, num_negatives=loss.negatives or None, batch_size=_BATCH, epochs=1)
    rows = []
    for n_items in sorted(arguments.items):
        rows.append({"items": n_items, **_measure(n_items, arguments.steps, settings)})
        print(rows[-1], flush=True)
    result_cache.write(arguments.to, {"loss": str(loss), "sizes": rows})


def _measure(n_items: int, steps: int, settings: TrainerSettings) -> dict[str, float]:
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    lengths = rng.multinomial(steps * _BATCH, np.full(_USERS, 1 / _USERS)) + _L + _T - 1
    # Zipf's law by inversion: the columns of popular items are small.
    items = (np.exp(rng.random(lengths.sum()) * np.log(n_items)).astype(np.int32) - 1) + FIRST_ID
    histories = EncodedHistories.of(np.arange(_USERS) + FIRST_ID, items, lengths)
    windows = Windows(histories, WindowSettings(L=_L, T=_T, partial_sequences=False, partial_targets=False))
    model = Caser(_USERS, n_items, _L, ModelSettings(d=_D))
    model(windows.at([0])[:2])
    tables = sum(int(np.prod(table.shape)) for table in model.tables) * 4
    clock = StepTimer()
    with progress.progress_callback(clock):
        fit(model, windows, settings, seed=1)
    return {
        "milliseconds_per_step": clock.milliseconds(),
        "tables_gb": 3 * tables / 1e9,  # the weights and the two moments
        "peak_gb": environment.peak_gigabytes(),
    }


if __name__ == "__main__":
    main()
