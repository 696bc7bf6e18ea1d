"""The artifact of ItemsGen."""

from __future__ import annotations

import os

import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf
from tfx.types.artifact import Artifact

from components.files import read_bytes
from components.items_gen.item_files import ITEM, ITEMS_FILE, TITLE


class ItemsArtifact(Artifact):
    """`items.parquet` with a row per item."""

    TYPE_NAME = "Items"


def write_items(folder: str, items: pa.Table) -> None:
    """Writes the file.

    Args:
        folder: directory, or its URI.
        items: columns as in the file.
    """
    tf.io.gfile.makedirs(folder)
    buffer = pa.BufferOutputStream()
    pq.write_table(items, buffer)
    with tf.io.gfile.GFile(os.path.join(folder, ITEMS_FILE), "wb") as file:
        file.write(buffer.getvalue().to_pybytes())


def read_item_ids(folder: str) -> list[str]:
    """The IDs in the file.

    Args:
        folder: directory, or its URI.
    """
    return list(_read(folder, ITEM)[ITEM].to_pylist())


def read_titles(folder: str) -> dict[str, str | None]:
    """Titles by ID; None where there is none.

    Args:
        folder: directory, or its URI.
    """
    return dict(zip(*(column.to_pylist() for column in _read(folder, ITEM, TITLE).columns), strict=True))


def _read(folder: str, *columns: str) -> pa.Table:
    return pq.read_table(pa.BufferReader(read_bytes(os.path.join(folder, ITEMS_FILE))), columns=list(columns))
