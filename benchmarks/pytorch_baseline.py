"""The PyTorch baseline: Caser in plain PyTorch, trained as in the authors' PyTorch code.

`python -m benchmarks.pytorch_baseline --data FILE --to FILE`, in the environment of the dependency group `bench`:
PyTorch and numpy only. Negatives are sampled on the host, window by window, from the items that the user has not
interacted with.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks import environment, movielens, result_cache

L, T, D, HORIZONTAL, VERTICAL, BATCH, NEGATIVES = 5, 3, 50, 16, 4, 512, 3
RATE, L2, DROPOUT = 1e-3, 1e-6, 0.5


class TorchCaser(nn.Module):
    """Section 3 of the paper, one convolution per height."""

    def __init__(self, n_users: int, n_items: int) -> None:
        super().__init__()
        self.users, self.items = nn.Embedding(n_users + 2, D), nn.Embedding(n_items + 2, D)
        self.vertical = nn.Conv2d(1, VERTICAL, (L, 1))
        self.horizontal = nn.ModuleList([nn.Conv2d(1, HORIZONTAL, (h, D)) for h in range(1, L + 1)])
        self.dense = nn.Linear(VERTICAL * D + HORIZONTAL * L, D)
        self.output, self.bias = nn.Embedding(n_items + 2, 2 * D), nn.Embedding(n_items + 2, 1)
        self.dropout = nn.Dropout(DROPOUT)
        for table in (self.users, self.items, self.output):
            nn.init.normal_(table.weight, 0, 1 / table.embedding_dim)
        nn.init.zeros_(self.bias.weight)

    def state(self, user: torch.Tensor, sequence: torch.Tensor) -> torch.Tensor:
        """Float [B, 2d]."""
        image = self.items(sequence)[:, None]
        point = self.vertical(image).flatten(1)
        union = [torch.relu(layer(image)).squeeze(3).amax(2) for layer in self.horizontal]
        z = torch.relu(self.dense(self.dropout(torch.cat([point, *union], 1))))
        return torch.cat([z, self.users(user)], 1)

    def score(self, state: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        """Float [B, C] for items [B, C]."""
        return torch.baddbmm(self.bias(items), self.output(items), state[:, :, None]).squeeze(2)


def draw_negatives(user: np.ndarray, unseen: list[np.ndarray]) -> np.ndarray:
    """Items that the user of each window has not interacted with, int [W, NEGATIVES], sampled one by one."""
    drawn = np.zeros((len(user), NEGATIVES), np.int64)
    for row, id_ in enumerate(user):
        candidates = unseen[id_ - 2]
        for column in range(NEGATIVES):
            drawn[row, column] = candidates[np.random.randint(len(candidates))]
    return drawn


def epoch(model: TorchCaser, optimizer: torch.optim.Optimizer, windows: tuple, unseen: list[np.ndarray]) -> float:
    """One pass over all windows; returns the mean loss."""
    model.train()
    user, sequence, targets = windows
    order = np.random.permutation(len(user))
    user, sequence, targets = (torch.from_numpy(array[order].astype(np.int64)) for array in (user, sequence, targets))
    negatives = torch.from_numpy(draw_negatives(user.numpy(), unseen))
    total = 0.0
    for start in range(0, len(user), BATCH):
        rows = slice(start, start + BATCH)
        state = model.state(user[rows], sequence[rows])
        scores = model.score(state, torch.cat([targets[rows], negatives[rows]], 1))
        loss = -torch.log(torch.sigmoid(scores[:, :T])).mean() - torch.log(1 - torch.sigmoid(scores[:, T:])).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(state)
    return total / len(user)


@torch.no_grad()
def mean_average_precision(model: TorchCaser, split: movielens.Split) -> float:
    """MAP on test, every held-out item among all items that the user has not seen; ties count against the model."""
    model.eval()
    recent, precisions = movielens.last_window(split, L), []
    for user in range(split.n_users):
        held_out = split.test[split.test_start[user] : split.test_start[user + 1]]
        if not len(held_out):
            continue
        state = model.state(torch.tensor([user + 2]), torch.from_numpy(recent[user : user + 1].astype(np.int64)))
        scores = (model.output.weight[2:] @ state[0] + model.bias.weight[2:, 0]).numpy()
        scores[split.train[split.train_start[user] : split.train_start[user + 1]] - 2] = -np.inf
        ordered = np.sort(scores)
        own = scores[np.unique(held_out[held_out >= 2]) - 2]
        ranks = np.sort(len(ordered) - np.searchsorted(ordered, own[np.isfinite(own)], "left"))
        n_held_out = len(np.unique(held_out[held_out >= 2])) + np.count_nonzero(held_out == 1)
        precisions.append((np.arange(1, len(ranks) + 1) / ranks).sum() / n_held_out)
    return float(np.mean(precisions))


def main() -> None:
    """Trains and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=22)
    parser.add_argument("--enough", type=float, default=1.0, help="ends with the first epoch that has this MAP")
    parser.add_argument("--users", type=int, help="only the first so many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--to", type=Path, required=True)
    arguments = parser.parse_args()
    movielens.refuse_without(arguments.data)

    torch.manual_seed(arguments.seed)
    np.random.seed(arguments.seed)
    split = movielens.read_split(arguments.data, arguments.users)
    windows = movielens.windows(split, L, T)
    every = np.arange(2, split.n_items + 2)
    unseen = [
        np.setdiff1d(every, split.train[split.train_start[user] : split.train_start[user + 1]])
        for user in range(split.n_users)
    ]
    model = TorchCaser(split.n_users, split.n_items)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, weight_decay=L2)
    seconds: list[float] = []
    values: list[float] = []
    while len(values) < arguments.epochs and max(values, default=0) < arguments.enough:
        started = time.monotonic()
        loss = epoch(model, optimizer, windows, unseen)
        seconds.append(time.monotonic() - started)
        values.append(mean_average_precision(model, split))
        print(len(values), f"{loss:.4f} {values[-1]:.4f} {seconds[-1]:.1f} s", flush=True)
    result_cache.write(
        arguments.to,
        {
            "windows": len(windows[0]),
            "seconds": seconds,
            "map": values,
            "peak_gb": environment.peak_gigabytes(),
            "torch": torch.__version__,
        },
    )


if __name__ == "__main__":
    main()
