"""A small interaction log with a planted pattern, and settings that learn it in seconds."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

# Small enough for seconds, large enough that the pattern beats popularity.
USERS, ITEMS = 200, 30
SETTINGS = (
    "trainer.epochs=20",
    "trainer.learning_rate=0.01",
    "trainer.batch_size=128",
    "model.d=16",
    "model.dropout=0.1",
    "windows.L=3",
    "windows.T=1",
    "export.k=10",
)


def rows() -> list[tuple[str, str, int]]:
    """(user, item, time): each item is followed by the next one four times out of five."""
    rng = np.random.default_rng(5)
    interactions = []
    for user in range(USERS):
        item = int(rng.integers(ITEMS))
        for step in range(int(rng.integers(10, 20))):
            interactions.append((f"u{user}", f"i{item}", 1_700_000_000 + 60 * step))
            item = (item + 1) % ITEMS if rng.random() < 0.8 else int(rng.integers(ITEMS))
    return interactions


def write(path: Path, lines: list[tuple[str, str, int]]) -> Path:
    path.write_text("user_id,item_id,timestamp\n" + "".join(f"{u},{i},{t}\n" for u, i, t in lines))
    return path


LATEST_SPAN = [f"span-2-{part}.csv.gz" for part in range(3)]


def write_spans(folder: Path) -> Path:
    """Two spans, the latest one with all rows in gzipped files, newest first; returns their pattern."""
    lines = rows()
    write(folder / "span-1-old.csv", lines[:50])
    for part, name in enumerate(LATEST_SPAN):
        plain = write(folder / "part.csv", lines[part::3][::-1])
        (folder / name).write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
    return folder / "span-{SPAN}-*"
