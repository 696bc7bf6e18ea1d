"""What each option of the preset brings: `python -m benchmarks.ablation --data FILE --output DIR`.

Every option is taken back alone, to what the paper or plain practice has, and MAP is measured on the authors'
validation split of MovieLens-1M, on which the options were chosen. Each measurement is kept in the output folder, so
that an interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks import movielens, result_cache
from benchmarks.training import SHOWN

# Name, and what takes the option back.
_WITHOUT = {
    "the preset": [],
    "items that the user meets later compete with a target": ["trainer.exclude_from_negatives=past"],
    "all items compete with a target": ["trainer.exclude_from_negatives=none"],
    "no windows with fewer than T targets": ["windows.partial_targets=false"],
    "one target a window (T=1)": ["windows.T=1"],
    "L=5 with heights 1 to 5": ["windows.L=5", "model.heights=null"],
    "d=50": ["model.d=50"],
    "items scored by the embedding by which they go in": ["model.tied_embeddings=true"],
    "no dropout of item embeddings": ["model.embedding_dropout=0"],
    "no dropout of the user's embedding": ["model.user_dropout=0"],
    "no weight decay": ["trainer.weight_decay=0"],
    "4,096 sampled items instead of all": ["trainer.loss=sampled_softmax"],
    "binary cross-entropy with 3 negatives": ["trainer.loss=bce"],
}


def main() -> None:
    """Measures, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="few users, to try this script out")
    arguments = parser.parse_args()
    movielens.refuse_without(arguments.data)
    output, seed = (arguments.output / ("quick" if arguments.quick else "full")).resolve(), arguments.seed
    lines = [f"| taken back | {' | '.join(SHOWN)} |", "|---|" + "---|" * len(SHOWN)]
    for name, settings in _WITHOUT.items():
        changed = [part for setting in settings for part in ("--set", setting)]
        file = output / f"{'-'.join(settings).replace('.', '-') or 'preset'}-{seed}.json"
        command = ["-m", "benchmarks.training", "--data", arguments.data.resolve(), "--what", "preset", "--validation"]
        few = ["--users", 300] if arguments.quick else []
        run = result_cache.measured(file, [*command, "--seed", seed, *changed, *few])
        if run is not None:
            lines.append(f"| {name} | {' | '.join(f'{run[metric][-1]:.4f}' for metric in SHOWN)} |")
    table = "\n".join(lines) + "\n"
    (output / "options.md").write_text(table, encoding="utf-8")
    print(f"\n{table}")


if __name__ == "__main__":
    main()
