"""A log by months in which users and items come and go, and settings of a service that is trained every month."""

from __future__ import annotations

from pathlib import Path

import numpy as np

MONTH = 30 * 24 * 3600
START = 1_704_067_200  # 2024-01-01
_USERS, _NEW_USERS = 120, 12
_ITEMS, _NEW_ITEMS = 40, 2
_PER_USER, _JUMPS = (8, 16), 0.15
# When the new items of a month appear, so that they are in held-out interactions only.
_NEW_FROM = 0.7
SETTINGS = (
    "data.last_spans=3",
    "split.strategy=time",
    "refit.enabled=true",
    "drift.enabled=true",
    "trainer.warm_start=true",
    "trainer.epochs=12",
    "trainer.learning_rate=0.01",
    "trainer.batch_size=128",
    "model.d=16",
    "model.dropout=0.1",
    "windows.L=3",
    "windows.T=1",
    "export.k=10",
    "neighbours.enabled=false",
)


def items_until(month: int) -> int:
    """Number of items that exist in a month, from 1; items 0 to this, exclusively."""
    return _ITEMS + _NEW_ITEMS * (month - 1)


def write_month(folder: Path, month: int, broken: bool = False) -> None:
    """Writes the delivery of a month, from 1: `month-N.csv`.

    Items follow each other up or down the catalogue, until a jump: the next item depends on the last two.

    Args:
        folder: where to.
        month: its number.
        broken: whether item IDs are written in another way.
    """
    rng = np.random.default_rng(month)
    first = _NEW_USERS * (month - 1)
    name = "SKU-{}" if broken else "i{}"
    lines = ["user_id,item_id,timestamp"]
    for user in range(first, first + _USERS):
        item, direction = 0, 1
        times = np.sort(rng.integers(0, MONTH, int(rng.integers(*_PER_USER))))
        for number, time in enumerate(times):
            items = items_until(month if time >= _NEW_FROM * MONTH else month - 1)
            if number == 0 or rng.random() < _JUMPS:
                item, direction = int(rng.integers(items)), int(rng.choice([-1, 1]))
            else:
                item = (item + direction) % items
            lines.append(f"u{user},{name.format(item)},{START + MONTH * (month - 1) + time}")
    (folder / f"month-{month}.csv").write_text("\n".join(lines) + "\n")
