"""Profile of a training step: `python -m benchmarks.step_profile --data FILE --what preset`.

TensorFlow's profiler watches some steps, and the time of their operations is summed by what they belong to. Operations
run side by side, so the sum is more than the time of a step by the clock, which is taken before the profiler starts.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path

import keras
import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from benchmarks import movielens
from benchmarks.step_timer import StepTimer
from benchmarks.training import CONFIGURATIONS, configuration, windows_of
from components.model.caser import Caser
from components.trainer import progress
from components.trainer.fit import fit

_BATCHES = 400
_TIMED = 11  # of the twenty reports of an epoch
# The first pattern that matches the name of an operation decides.
_PARTS = {
    "optimiser": r"/adam",
    "dropout": r"/dropout",
    "horizontal convolution": r"/horizontal_convolution",
    "vertical convolution": r"/vertical_convolution",
    "dense layer": r"/dense",
    "rest of the model": r"/caser",
    "products of loss and scores": r"MatMul|Einsum",
    "rest: loss, seen items": r"",
}


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--what", choices=CONFIGURATIONS, default="preset")
    arguments = parser.parse_args()
    movielens.refuse_without(arguments.data)
    config = configuration(arguments.what)
    split = movielens.read_split(arguments.data, None, movielens.VALIDATION)
    batch_size = config.trainer.batch_size or 512
    windows = windows_of(split, config.windows)
    windows = windows_of(split, config.windows, fraction=_BATCHES * batch_size / len(windows))
    keras.utils.set_random_seed(1)
    model = Caser(split.n_users, split.n_items, config.windows.L, config.model)
    trainer = config.trainer.model_copy(update={"batch_size": batch_size, "epochs": 1})

    clock = StepTimer()
    with tempfile.TemporaryDirectory() as folder:

        def watch(epoch: int, epochs: int, step: int, steps: int, metrics: object, stage: str) -> None:
            if len(clock.moments) == _TIMED:
                tf.profiler.experimental.start(folder)
            elif len(clock.moments) == _TIMED + 1:
                tf.profiler.experimental.stop()

        with progress.progress_callback(clock), progress.progress_callback(watch):
            fit(model, windows, trainer, seed=1)
        (file,) = Path(folder).rglob("*.xplane.pb")
        operations = _milliseconds(file)
    watched = clock.moments[_TIMED][0] - clock.moments[_TIMED - 1][0]
    print(f"\n{arguments.what}: {clock.milliseconds(_TIMED):.1f} ms a step, median; operations in ms a step:\n")
    print("| part | operations | ms |\n|---|---|---|")
    for part in _PARTS:
        own = [taken for name, taken in operations if _part(name) == part]
        print(f"| {part} | {len(own) / watched:.0f} | {sum(own) / watched:.1f} |")


def _milliseconds(file: Path) -> list[tuple[str, float]]:
    """Name and duration of every operation inside the loop over steps."""
    space = xplane_pb2.XSpace.FromString(file.read_bytes())
    return [
        (name, event.duration_ps / 1e9)
        for plane in space.planes
        for line in plane.lines
        for event in line.events
        if (name := plane.event_metadata[event.metadata_id].name).startswith("while/")
    ]


def _part(name: str) -> str:
    return next(part for part, pattern in _PARTS.items() if re.search(pattern, name))


if __name__ == "__main__":
    main()
