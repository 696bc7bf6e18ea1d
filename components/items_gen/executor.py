"""Executor of ItemsGen."""

from __future__ import annotations

from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components.items_gen.artifact import write_items
from components.items_gen.item_files import read_blocklist, read_items


class Executor(base_executor.BaseExecutor):
    """Reads the files and writes the artifact."""

    def Do(  # noqa: N802 -- named by TFX
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `items.parquet`."""
        path, id_column = exec_properties["path"], exec_properties.get("id_column")
        items = read_items(path, id_column, exec_properties["encoding"]) if id_column else read_blocklist(path)
        write_items(artifact_utils.get_single_uri(output_dict["items"]), items)
