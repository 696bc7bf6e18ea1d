"""All measurements of speed as one Markdown table: `make bench DATA=interactions.csv`.

Every measurement runs in a separate process. Existing results are reused, so an interrupted run resumes; `--fresh`
deletes them.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import data_scaling, environment, movielens, result_cache

# MAP on test: the paper, and values that the authors' PyTorch code reaches.
THRESHOLDS = (0.1507, 0.17, 0.176)
_TITLES = {
    "pytorch": "PyTorch baseline, paper's configuration",
    "paper": "this project, paper's configuration (BCE, 3 negatives)",
    "half": "this project, full softmax, half of all windows once",
    "quick": "this project, full softmax, all windows once",
    "default": "this project, defaults",
    "preset": "this project, preset ml-1m-caser",
}
Measurements = dict[str, dict[str, Any] | None]


def main() -> None:
    """Measures everything and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--torch-python", type=Path, required=True, help="Python interpreter with PyTorch")
    parser.add_argument("--quick", action="store_true", help="few users and epochs, as a smoke test")
    parser.add_argument("--fresh", action="store_true", help="delete existing results first")
    arguments = parser.parse_args()
    data = arguments.data.resolve()
    movielens.refuse_without(data)
    output = (arguments.output / ("quick" if arguments.quick else "full")).resolve()
    if arguments.fresh:
        shutil.rmtree(output, ignore_errors=True)
    found = _measure(data, output, str(arguments.torch_python), arguments.quick)
    table = "\n".join(_table(found, arguments.quick)) + "\n"
    (output / "results.md").write_text(table, encoding="utf-8")
    print(f"\n{table}\nwritten to {output / 'results.md'}")
    if missing := [name for name, measurement in found.items() if measurement is None]:
        sys.exit(f"not measured: {', '.join(missing)}")


def _measure(data: Path, output: Path, torch_python: str, quick: bool) -> Measurements:
    def measure(name: str, *arguments: object) -> dict[str, Any] | None:
        return result_cache.measured(output / f"{name}.json", ["-m", *arguments])

    few: list[object] = ["--users", 300, "--epochs", 2] if quick else []
    interactions = _smaller(data, output) if quick else data
    found: Measurements = {}
    for name, what, *more in (
        ("paper", "paper"),
        ("half", "quick", "--fraction", 0.5),
        ("quick", "quick"),
        ("preset", "preset"),
        ("default", "default", "--epochs", 2),
        ("full", "default", "--set", "trainer.loss=softmax", "--epochs", 2, "--validation"),
        ("sampled", "default", "--set", "trainer.loss=sampled_softmax", "--epochs", 2, "--validation"),
    ):
        found[name] = measure(name, "benchmarks.training", "--data", data, "--what", what, *more, *few)
    found["catalogue"] = measure(
        "catalogue", "benchmarks.catalogue_scaling", *(["--items", 1000, 10_000, "--steps", 40] if quick else [])
    )
    found["pytorch"] = result_cache.measured(
        output / "pytorch.json",
        ["-m", "benchmarks.pytorch_baseline", "--data", data, *(few or ["--enough", THRESHOLDS[-1]])],
        python=torch_python,
    )
    found["pipeline"] = measure(
        "pipeline",
        "benchmarks.end_to_end",
        *("--data", interactions, "--run-in", output / "pipeline"),
        *(["--set", "trainer.epochs=1"] if quick else []),
    )
    for times in (1, 2) if quick else (1, 4, 16):
        name = f"growth-{times}"
        more = ["--until", "CaserTrainer", "--set", "trainer.epochs=1", "--set", "trainer.auto=false"]
        found[name] = measure(name, "benchmarks.data_scaling", "--data", interactions, "--times", times, *more)
    return found


def _smaller(data: Path, output: Path) -> Path:
    """The first lines of the data, for a smoke test."""
    file = output / "few.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    with data.open() as lines:
        file.write_text("".join(line for _, line in zip(range(40_000), lines, strict=False)))
    return file


def _table(found: Measurements, quick: bool) -> Iterator[str]:
    if quick:
        yield "**Smoke test with few users and epochs: these are not results.**\n"
    versions = environment.description() | {"torch": (found["pytorch"] or {}).get("torch", "missing")}
    yield ", ".join(f"{name} {value}" for name, value in versions.items()) + ".\n"
    yield "| measurement | value |\n|---|---|"
    trained = {name: run for name in _TITLES if (run := found[name])}
    for name, run in trained.items():
        epoch = median(run["seconds"])
        yield f"| {_TITLES[name]}: windows/s in training, median | {run['windows'] / epoch:,.0f} |"
        yield f"| seconds per epoch of {run['windows']:,} windows, median | {epoch:.1f} |"
        yield f"| peak memory | {run['peak_gb']:.1f} GB |"
        yield f"| best MAP on test over {len(run['map'])} epochs | {max(run['map']):.4f} |"
        for threshold in THRESHOLDS:
            yield f"| seconds of training to MAP {threshold:g} | {_shown(seconds_to(run, threshold))} |"
    yield from _ratios(trained)
    full, sampled = found["full"], found["sampled"]
    if full and sampled:
        values = f"{full['map'][-1]:.4f}, {sampled['map'][-1]:.4f}, {sampled['map'][-1] - full['map'][-1]:+.4f}"
        epochs = len(full["map"])
        yield f"| MAP on validation after {epochs} epochs: full softmax, 4,096 sampled items, difference | {values} |"
    yield from _catalogue(found["catalogue"])
    if run := found["pipeline"]:
        for node, seconds in run["seconds"].items():
            yield f"| `caser run --preset ml-1m-caser`: {node} | {seconds:.1f} s |"
        yield f"| whole run, from the command to its end | {run['wall_seconds']:.0f} s |"
    yield "\nNodes at several times the data, the Trainer with one epoch:\n"
    yield from data_scaling.table([run for name, run in found.items() if name.startswith("growth") and run])


def seconds_to(run: dict[str, Any], threshold: float) -> float | None:
    """Seconds of training until the MAP on test, evaluated after each epoch, first reaches `threshold`."""
    return next(
        (sum_ for sum_, value in zip(accumulate(run["seconds"]), run["map"], strict=True) if value >= threshold), None
    )


def _ratios(trained: dict[str, dict[str, Any]]) -> Iterator[str]:
    if "pytorch" not in trained:
        return
    baseline = trained["pytorch"]
    if "paper" in trained:
        ratio = median(baseline["seconds"]) / median(trained["paper"]["seconds"])
        yield f"| epoch of the PyTorch baseline / this project, paper's configuration | {ratio:.1f} |"
    for threshold in THRESHOLDS:
        for name in ("paper", "half", "quick", "preset"):
            own, other = (seconds_to(run, threshold) for run in (trained.get(name, baseline), baseline))
            if name in trained and own and other:
                label = f"time of the PyTorch baseline to MAP {threshold:g} / this project, {name}"
                yield f"| {label} | {other / own:.1f} |"


def _catalogue(run: dict[str, Any] | None) -> Iterator[str]:
    if run is None:
        return
    for size in run["sizes"]:
        ratio = size["milliseconds_per_step"] / run["sizes"][0]["milliseconds_per_step"]
        yield (
            f"| a step at {size['items']:,} items ({run['loss']}), median | {size['milliseconds_per_step']:.1f} ms, "
            f"{ratio:.2f} of the smallest; peak {size['peak_gb']:.1f} GB, {size['tables_gb']:.1f} GB of it tables |"
        )


def _shown(seconds: float | None) -> str:
    return "not reached" if seconds is None else f"{seconds:.0f}"


if __name__ == "__main__":
    main()
