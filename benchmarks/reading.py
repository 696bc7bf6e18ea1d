"""Reads a large interaction file in CSV and Parquet: `python -m benchmarks.reading --rows 20000000 --to DIR`.

Each file is read by ExampleGen's reader in a process of its own; the files are written once and kept in DIR.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks import environment
from components.example_gen.readers.reader import read_interactions
from components.example_gen.settings import DataSettings

_USERS, _ITEMS, _CHUNK = 500_000, 50_000, 1_000_000
_KINDS = ("csv", "quoted.csv", "parquet")


def main() -> None:
    """Writes the files, reads each one several times and prints the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--read", type=Path, help="only read this file, in this process")
    arguments = parser.parse_args()
    if arguments.read:
        _read(arguments.read)
        return
    files = [_written(arguments.to, kind, arguments.rows) for kind in _KINDS]
    for _ in range(arguments.rounds):
        for file in files:
            command = [sys.executable, "-m", "benchmarks.reading", "--to", str(arguments.to), "--read", str(file)]
            subprocess.run(command, check=True)


def _read(file: Path) -> None:
    start, rows = time.perf_counter(), 0
    with open(file, "rb") as stream:
        for batch in read_interactions(stream, str(file), DataSettings()):
            rows += len(batch.time)
    seconds = time.perf_counter() - start
    print(
        f"{file.name}: {rows:,} rows, {rows / seconds:,.0f} rows/s, peak {environment.peak_gigabytes():.2f} GB",
        flush=True,
    )


def _written(directory: Path, kind: str, rows: int) -> Path:
    file = directory / f"{rows}.{kind}"
    if file.exists():
        return file
    directory.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    generator = np.random.default_rng(1)
    with open(part, "wb") as stream, contextlib.ExitStack() as stack:
        writer = (
            stack.enter_context(pq.ParquetWriter(stream, _table(np.random.default_rng(0), 1).schema))
            if kind == "parquet"
            else None
        )
        if writer is None:
            stream.write(b"user_id,item_id,timestamp\n")
        for first in range(0, rows, _CHUNK):
            table = _table(generator, min(_CHUNK, rows - first))
            if writer is None:
                stream.write(_lines(table, b'"' if "quoted" in kind else b""))
            else:
                writer.write_table(table)
    part.rename(file)
    return file


def _table(generator: np.random.Generator, rows: int) -> pa.Table:
    users, items = generator.integers(_USERS, size=rows), generator.zipf(1.3, size=rows) % _ITEMS
    times = generator.integers(1_500_000_000, 1_600_000_000, size=rows)
    return pa.table(
        {
            "user_id": pa.array([f"u{user:07d}" for user in users.tolist()]),
            "item_id": pa.array([f"i{item:05d}" for item in items.tolist()]),
            "timestamp": times,
        }
    )


def _lines(table: pa.Table, quote: bytes) -> bytes:
    times = table["timestamp"].cast(pa.string()).cast(pa.binary())
    separator = quote + b"," + quote
    fields = pc.binary_join_element_wise(
        table["user_id"].cast(pa.binary()), table["item_id"].cast(pa.binary()), separator
    )
    lines = pc.binary_join_element_wise(fields, times, quote + b",")
    return quote + (b"\n" + quote).join(lines.to_pylist()) + b"\n"


if __name__ == "__main__":
    main()
