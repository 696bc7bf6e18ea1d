"""Ablation of the preset: `python -m benchmarks.ablation --data FILE --output DIR`.

Each row changes one option, to the choice of the paper or to a common default, and is evaluated on the authors'
validation split of MovieLens-1M, on which the options were chosen. Existing results are reused, so an interrupted run
resumes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks import movielens, result_cache
from benchmarks.training import SHOWN

# Name of the change, and its settings.
_CHANGES = {
    "none (the preset)": [],
    "future interactions not excluded from negatives": ["trainer.exclude_from_negatives=past"],
    "own interactions not excluded from negatives": ["trainer.exclude_from_negatives=none"],
    "full windows only": ["windows.partial_sequences=false", "windows.partial_targets=false"],
    "one target per window (T=1)": ["windows.T=1"],
    "L=5 with heights 1 to 5": ["windows.L=5", "model.heights=null"],
    "d=50": ["model.d=50"],
    "tied item embeddings": ["model.tied_embeddings=true"],
    "no dropout of item embeddings": ["model.embedding_dropout=0"],
    "no dropout of the user embedding": ["model.user_dropout=0"],
    "no weight decay": ["trainer.weight_decay=0"],
    "sampled softmax, 4,096 negatives": ["trainer.loss=sampled_softmax"],
    "binary cross-entropy, 3 negatives": ["trainer.loss=bce"],
}


def main() -> None:
    """Measures all rows and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="few users, as a smoke test")
    arguments = parser.parse_args()
    movielens.refuse_without(arguments.data)
    output, seed = (arguments.output / ("quick" if arguments.quick else "full")).resolve(), arguments.seed
    lines = [f"| change | {' | '.join(SHOWN)} |", "|---|" + "---|" * len(SHOWN)]
    for name, settings in _CHANGES.items():
        changed = [part for setting in settings for part in ("--set", setting)]
        file = output / f"{'-'.join(settings).replace('.', '-') or 'preset'}-{seed}.json"
        command = ["-m", "benchmarks.training", "--data", arguments.data.resolve(), "--what", "preset", "--validation"]
        few = ["--users", 300] if arguments.quick else []
        run = result_cache.measured(file, [*command, "--seed", seed, *changed, *few])
        if run is not None:
            lines.append(f"| {name} | {' | '.join(f'{run[metric][-1]:.4f}' for metric in SHOWN)} |")
    table = "\n".join(lines) + "\n"
    (output / "ablation.md").write_text(table, encoding="utf-8")
    print(f"\n{table}")


if __name__ == "__main__":
    main()
