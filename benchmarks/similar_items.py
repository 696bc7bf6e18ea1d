"""How alike similar items are: `python -m benchmarks.similar_items --model DIR --genres movies.dat`.

For every item, its ten most similar ones by several measures: the mean number of genres that both have, divided by the
number that one of them has. `--genres` is MovieLens' file of movies (`.dat` or `.csv`); without it, the model is one of
the built-in sample, whose items have their genre in their names.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
import tensorflow as tf

from components.features import FIRST_ID, ITEM_VOCABULARY
from pipeline.client.in_process import newest_version

_K = 10


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--genres", type=Path)
    arguments = parser.parse_args()
    model = newest_version(arguments.model)
    items = (model / "assets" / ITEM_VOCABULARY).read_text(encoding="utf-8").splitlines()
    genres = _genres(arguments.genres, items)
    inputs, outputs = (_cosines(table) for table in _embeddings(model, len(items)))
    weights = {"output embeddings": 0.0, "mean (what is served)": 0.5, "input embeddings": 1.0}
    print("| cosine of | shared genres |\n|---|---|")
    for name, weight in weights.items():
        similarity = weight * inputs + (1 - weight) * outputs
        np.fill_diagonal(similarity, -np.inf)
        print(f"| {name} | {_shared(np.argsort(-similarity, axis=1)[:, :_K], genres):.3f} |")
    popular = np.broadcast_to(np.arange(_K), [len(items), _K])
    print(f"| none: the most popular items | {_shared(popular, genres):.3f} |")


def _embeddings(model: Path, n_items: int) -> tuple[np.ndarray, np.ndarray]:
    """Input and output embeddings, by their number of rows."""
    checkpoint = tf.train.load_checkpoint(str(model / "variables" / "variables"))
    by_rows = {
        shape[0]: name
        for name, shape in checkpoint.get_variable_to_shape_map().items()
        if name.startswith("weights/") and len(shape) == 2
    }
    inputs, outputs = (checkpoint.get_tensor(by_rows[rows]) for rows in (n_items + FIRST_ID, n_items))
    return inputs[FIRST_ID:], outputs


def _genres(file: Path | None, items: list[str]) -> list[set[str]]:
    if file is None:
        return [{item.rpartition("-")[0]} for item in items]
    text = file.read_text(encoding="utf-8" if file.suffix == ".csv" else "latin-1").splitlines()
    rows = csv.reader(text) if file.suffix == ".csv" else (line.split("::") for line in text)
    known = {row[0]: set(row[2].split("|")) for row in rows}
    return [known.get(item, set()) for item in items]


def _cosines(table: np.ndarray) -> np.ndarray:
    table = table / np.linalg.norm(table, axis=1, keepdims=True)
    return table @ table.T


def _shared(similar: np.ndarray, genres: list[set[str]]) -> float:
    pairs = ((genres[item], genres[other]) for item, others in enumerate(similar) for other in others)
    return float(np.mean([len(a & b) / max(len(a | b), 1) for a, b in pairs]))


if __name__ == "__main__":
    main()
